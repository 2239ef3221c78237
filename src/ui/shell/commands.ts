/** What can be done here by name or by key: screens register, the palette and `?` show. */

export interface Command {
  readonly name: string
  /** As `KeyboardEvent.key`, such as `f` or `?`; letters without Ctrl, Alt or Meta. */
  readonly key?: string
  readonly run: () => void
}

export class Commands {
  readonly #groups = new Map<object, readonly Command[]>()

  get all(): readonly Command[] {
    return [...this.#groups.values()].flat()
  }

  /** Adds commands; returns how to take them back. */
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
    return this.all.find(({ key }) => key === event.key)
  }
}
