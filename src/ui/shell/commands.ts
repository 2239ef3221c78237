/** What can be done here by name or by key: screens register, the palette and `?` show. */

export interface Command {
  readonly name: string
  /** As `KeyboardEvent.key`, such as `f` or `?`; letters without Ctrl, Alt or Meta. */
  readonly key?: string
  readonly run: () => void
}

export class Commands {
  /** What can be done on every screen. */
  readonly everywhere: readonly Command[]
  readonly #groups = new Map<object, readonly Command[]>()

  constructor(everywhere: readonly Command[]) {
    this.everywhere = everywhere
  }

  /** What can be done on the screen that is shown. */
  get screen(): readonly Command[] {
    return [...this.#groups.values()].flat()
  }

  /** Adds commands of a screen; returns how to take them back. */
  register(commands: readonly Command[]): () => void {
    const group = {}
    this.#groups.set(group, commands)
    return () => this.#groups.delete(group)
  }

  /** The command of a key press, unless somebody is typing. */
  forKey(event: KeyboardEvent): Command | undefined {
    const target = event.target
    const typing =
      target instanceof HTMLElement &&
      (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
    if (typing || event.ctrlKey || event.altKey || event.metaKey) return undefined
    return [...this.screen, ...this.everywhere].find(({ key }) => key === event.key)
  }
}
