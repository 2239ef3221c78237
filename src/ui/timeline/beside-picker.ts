/** Chooses a run to stand beside the one that is shown: one that is open, or a file. */
import { element } from "../components/element.ts"
import type { TraceShelf } from "../shell/traces.ts"

const FILE = "a file…"

/** `shown`: ids of the run and of the one beside it; `choose`: undefined for none. */
export const besidePicker = (
  traces: TraceShelf,
  shown: { readonly open: string; readonly beside: string | undefined },
  choose: (id: string | undefined) => void
): HTMLElement => {
  const input = element("input", { type: "file", accept: ".jsonl,.json,.pftrace,.gz", hidden: true })
  const select = element(
    "select",
    { "aria-label": "Beside it" },
    element("option", { value: "" }, "beside: nothing"),
    ...[...traces.all, ...traces.files.map(({ id, file }) => ({ id, name: file.name }))]
      .filter(({ id }) => id !== shown.open)
      .map(({ id, name }) => element("option", { value: id }, `beside: ${name}`)),
    element("option", { value: FILE }, `beside: ${FILE}`)
  )
  select.value = shown.beside ?? ""
  select.addEventListener("change", () => {
    if (select.value === FILE) input.click()
    else choose(select.value === "" ? undefined : select.value)
  })
  input.addEventListener("cancel", () => (select.value = shown.beside ?? ""))
  input.addEventListener("change", () => {
    const file = input.files?.[0]
    if (file !== undefined) choose(traces.leave(file).id)
  })
  return element("span", {}, select, input)
}
