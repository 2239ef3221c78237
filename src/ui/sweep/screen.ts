/** Results of a sweep: opened here, read in a worker, shown by `Explorer`. */
import { element } from "../components/element.ts"
import { fileButton } from "../components/file-button.ts"
import { openingCard } from "../components/opening-card.ts"
import { failure } from "../components/error-panel.ts"
import { type OpenedFile, textsOf } from "../shell/opened-file.ts"
import type { PageState } from "../shell/page-state.ts"
import type { Mount } from "../shell/screen.ts"
import type { TextFile } from "../workers/protocol.ts"
import { Explorer } from "./explorer.ts"
import type { Reading } from "./reading.ts"
import { resultsOf } from "./results.ts"
import "./sweep.css"

export const mount: Mount = (host, context) => {
  let key: string | undefined
  let given: string | undefined
  let explorer: Explorer | undefined
  const opening = fileButton(
    { text: "Open results…", title: "Open results of a sweep", accept: ".parquet,.csv,.jsonl" },
    ([file]) => context.navigate({ screen: "sweep", view: { open: context.traces.leave(file!).id } })
  )
  /** Files that stand for the sweep of results that do not carry it. */
  const give = (files: readonly File[]): void => {
    // The sweep's own file first: it is what names the other.
    const ids = files.map((file) => context.traces.leave(file).id)
    context.navigate({ view: { ...context.state().view, sweep: ids.join(" ") } })
  }
  const intro = (...above: readonly Node[]): void =>
    host.replaceChildren(
      ...above,
      openingCard(
        "What came of a sweep?",
        'Drop results here that "vericache sweep FILE -o results.parquet" wrote, or open them: Parquet, CSV or JSON lines. Heatmap, Pareto front, parallel coordinates and table then show the same points, and each leads to its scenario and its timeline.',
        opening
      )
    )

  const open = async (id: string): Promise<void> => {
    explorer = undefined
    const pending = context.traces.file(id)
    if (pending === undefined) {
      const gone = failure(
        "These results are not open any more",
        "Files are not in the address: open the file again."
      )
      intro(...(id === "" ? [] : [gone]))
      return
    }
    host.replaceChildren(element("p", { role: "status" }, `Reading ${pending.file.name}…`))
    const found = await read(pending.file)
    if (key !== id) return
    const results = "problem" in found ? found : resultsOf(found.table)
    if ("problem" in results) {
      intro(failure(`${pending.file.name} cannot be shown`, results.problem))
      return
    }
    if ("note" in found && found.note !== undefined) context.toast(found.note)
    const { name } = pending.file
    explorer = new Explorer(context, results, name, give)
    host.replaceChildren(explorer.root)
    given = undefined
    update(context.state())
    if (results.recipe !== undefined) explorer.files = [{ name, text: results.recipe }]
  }

  const update = ({ view }: PageState): void => {
    if (explorer === undefined) return
    const wanted = view["sweep"] ?? ""
    if (wanted !== given) {
      given = wanted
      void textsOf(wanted.split(" ").flatMap((id) => context.traces.file(id)?.file ?? [])).then((files) => {
        if (given === wanted && files.length > 0 && explorer !== undefined) explorer.files = sweepFirst(files)
      })
    }
    explorer.update(view)
  }

  const dropped = (event: DragEvent): void => {
    const files = [...(event.dataTransfer?.files ?? [])]
    if (explorer === undefined || !files.every(({ name }) => /\.(ya?ml|json)$/i.test(name))) return
    event.preventDefault()
    event.stopPropagation()
    give(files)
  }
  host.addEventListener("drop", dropped)

  return {
    update: (state) => {
      const wanted = state.view["open"] ?? ""
      if (wanted === key) {
        update(state)
        return
      }
      key = wanted
      void open(wanted)
    },
    dispose: () => {
      key = undefined
      host.removeEventListener("drop", dropped)
    }
  }
}

/** The sweep's file, which has axes or a sample, before what it names. */
const sweepFirst = (texts: readonly TextFile[]): readonly TextFile[] => {
  const isSweep = ({ text }: TextFile): boolean => /^["{\s]*(axes|sample)\b/m.test(text)
  return texts.toSorted((a, b) => Number(isSweep(b)) - Number(isSweep(a)))
}

const read = async (file: OpenedFile): Promise<Reading> => {
  const worker = new Worker(new URL("./reading.ts", import.meta.url), { type: "module" })
  try {
    return await new Promise((resolve, reject) => {
      worker.addEventListener("message", ({ data }: MessageEvent<Reading>) => resolve(data))
      worker.addEventListener("error", ({ message }) => reject(new Error(message)))
      worker.postMessage(file, { transfer: [] })
    })
  } finally {
    worker.terminate()
  }
}
