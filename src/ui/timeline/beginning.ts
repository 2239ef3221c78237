/** The timeline without a trace: where to get one. */
import { element } from "../components/element.ts"
import { fileButton } from "../components/file-button.ts"
import { openingCard } from "../components/opening-card.ts"
import { methodId, methodsOf } from "../shell/methods.ts"
import type { ScreenContext } from "../shell/screen.ts"

/** Methods of the scenario that are offered: full KV and VeriCache, if it has them. */
const OFFERED = new Set(["full-kv", "vericache"])

/** `name`: of the file that the address was made with. */
export const beginning = (context: ScreenContext, name: string | undefined): HTMLElement => {
  const ways = element("div", { class: "ways" })
  void methodsOf(context).then((methods = []) => {
    for (const [index, { name: method, kind }] of methods.entries()) {
      if (!OFFERED.has(kind)) continue
      const way = element("button", { type: "button" }, `Simulate ${method}`)
      way.addEventListener("click", () =>
        context.navigate({ screen: "timeline", view: { open: methodId(index) } })
      )
      ways.append(way)
    }
  })
  const open = fileButton(
    { text: "Open a trace…", title: "Open a trace", accept: ".jsonl,.json" },
    (files) => void context.openFiles(files)
  )
  return openingCard(
    "What did every part of the machine do, and when?",
    name === undefined
      ? 'No trace is open. Drop a file here that "vericache simulate FILE --trace run.jsonl" or "vericache run" wrote, or Chrome\'s JSON of others, or simulate a method of the scenario in What-if.'
      : `No trace is open. This address was made with ${name}: drop that file here, and it shows the same again.`,
    open,
    ways
  )
}
