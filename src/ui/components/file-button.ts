/** A button that opens files: the browser's own input, under a label that looks like other buttons. */
import { element } from "./element.ts"

export interface FileButton {
  /** What the button says. */
  readonly text: string
  /** What it opens, for hover and screen readers. */
  readonly title: string
  /** Endings of names, as an input's `accept`. */
  readonly accept: string
  readonly multiple?: boolean
  readonly id?: string
}

/** `take`: hears of the files that were chosen, one or more, each time. */
export const fileButton = (
  { text, title, accept, multiple = false, id }: FileButton,
  take: (files: readonly File[]) => void
): HTMLElement => {
  const input = element("input", {
    type: "file",
    accept,
    multiple,
    "aria-label": title,
    ...(id === undefined ? {} : { id })
  })
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])]
    // The same file may be chosen again after it was mended.
    input.value = ""
    if (files.length > 0) take(files)
  })
  return element("label", { class: "button file-button", title }, text, input)
}
