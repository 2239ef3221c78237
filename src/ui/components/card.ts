/** A card of a page: a heading, what is beside it, what is under it. */
import { element } from "./element.ts"

export const card = (
  title: string,
  { tools, class: extra = "" }: { readonly tools?: Node; readonly class?: string },
  ...children: readonly Node[]
): HTMLElement =>
  element(
    "section",
    { class: `card ${extra}`.trim() },
    element("header", {}, element("h2", {}, title), ...(tools === undefined ? [] : [tools])),
    ...children
  )
