/** A card beside the pointer. Screen readers have the panel instead. */
import { element } from "../components/element.ts"

export class HoverCard {
  readonly element = element("div", { class: "hover-card", "aria-hidden": "true", hidden: true })

  /** At a place of the element it lies in, CSS pixels; without lines it is hidden. */
  show(lines: readonly string[], { x, y }: { readonly x: number; readonly y: number }): void {
    this.element.hidden = lines.length === 0
    if (lines.length === 0) return
    this.element.replaceChildren(
      ...lines.map((line, i) => element("p", { class: i === 0 ? "" : "muted" }, line))
    )
    const room = this.element.parentElement!.clientWidth
    const { offsetWidth: width } = this.element
    this.element.style.left = `${Math.max(4, x + 16 + width > room ? x - width - 12 : x + 16)}px`
    this.element.style.top = `${y + 16}px`
  }
}
