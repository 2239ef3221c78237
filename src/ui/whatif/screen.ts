/** What-if: the verdict, the methods side by side, and what changes when a field does. */
import { card } from "../components/card.ts"
import { download, exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import { failure } from "../components/error-panel.ts"
import { fileButton } from "../components/file-button.ts"
import { Fitted } from "../components/fitted.ts"
import { methodId } from "../shell/methods.ts"
import { withChange, type PageState } from "../shell/page-state.ts"
import type { Mount } from "../shell/screen.ts"
import type { MethodOutcome, Response, ScenarioSummary } from "../workers/protocol.ts"
import { type Advice, adviceList, ranked } from "./advice-list.ts"
import { type BreakEvenRow, breakEvenRows, drawBreakEven } from "./break-even.ts"
import { controlFor } from "./control.ts"
import { Editor } from "./editor.ts"
import { caveatLines, methodsRows, methodsTable } from "./methods-table.ts"
import { advisedVerdict, rateOf, verdictOf } from "./verdict.ts"
import { drawWindows, type Optimum, type WindowPoint, windowRows } from "./window-curve.ts"
import "./whatif.css"

const WAITING = "Simulating…"

export const mount: Mount = (host, context) => {
  const verdict = element(
    "p",
    {
      class: "verdict",
      "aria-live": "polite",
      "data-provenance": "modelled",
      title: "Throughput: output tokens per second of the run, over that of the baseline. Modelled."
    },
    WAITING
  )
  const note = element("p", { class: "muted small" })
  const problems = element("div", {})
  const table = element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Methods" })
  const caveats = element("ul", { class: "caveats small muted", "aria-label": "What weakens these figures" })
  const controls = element("div", { class: "controls" })
  const windows = new Fitted()
  const breakEven = new Fitted()
  const advised = element("div", { "aria-live": "polite" })
  const apply = element("button", { type: "button", class: "primary" }, "Apply")
  const save = element("button", { type: "button" }, "Save")
  const reset = element("button", { type: "button" }, "Reset all")
  const timeline = element("button", { type: "button", disabled: true }, "Open timeline")
  const open = fileButton(
    {
      text: "Open…",
      title: "Open a scenario, and the files it names",
      accept: ".yaml,.yml,.json,.jsonl,.csv",
      multiple: true
    },
    (files) => void context.openFiles(files)
  )
  const bundled = element("select", { "aria-label": "Scenarios that come with vericache" })
  const editor = new Editor(
    () => check(),
    () => apply.click()
  )
  const body = element(
    "div",
    { class: "whatif" },
    card("Fields", { class: "fields" }, controls, reset),
    element(
      "div",
      { class: "results" },
      card(
        "Methods side by side",
        { tools: exportButtons({ name: "methods", table: () => methodsRows(summary, outcomes) }) },
        table,
        caveats,
        element("div", { class: "tools" }, timeline)
      ),
      card("What would help, simulated", {}, advised),
      card(
        "Throughput over draft window",
        {
          tools: exportButtons({
            name: "draft-window",
            chart: () => windows.chart,
            table: () => windowRows(points)
          })
        },
        windows.root
      ),
      card(
        "Break-even against full KV, by the closed forms",
        {
          tools: exportButtons({
            name: "break-even",
            chart: () => breakEven.chart,
            table: () => breakEvenRows(rows)
          })
        },
        breakEven.root
      ),
      card(
        "Scenario",
        { class: "scenario" },
        editor.root,
        element("div", { class: "tools" }, apply, save, bundled, open)
      )
    )
  )
  host.append(element("h1", { class: "muted small" }, "What if"), verdict, note, problems, body)

  let summary: ScenarioSummary | undefined
  let outcomes: (MethodOutcome | undefined)[] = []
  let points: WindowPoint[] = []
  let optimum: Optimum | undefined
  let rows: BreakEvenRow[] = []
  let advice: Advice[] = []
  let asked = ""
  const cancels: (() => void)[] = []
  const stop = (): void => {
    for (const cancel of cancels.splice(0)) cancel()
  }

  const set = (field: string, value: string | number | undefined): void =>
    context.navigate(withChange(context.state(), field, value), "replace")
  const ours = (): number => summary?.methods.findIndex(({ kind }) => kind === "vericache") ?? -1
  const placeholder = (words: string) => (): Element => element("p", { class: "muted" }, words)

  const draw = (): void => {
    if (summary === undefined) return
    const { headline, detail } = verdictOf(summary, outcomes)
    verdict.textContent = headline
    note.textContent = detail
    table.replaceChildren(methodsTable(summary, outcomes))
    caveats.replaceChildren(...caveatLines(summary, outcomes).map((line) => element("li", {}, line)))
  }

  /** All of what might help was simulated: the best of it, in the verdict too. */
  const advise = (): void => {
    if (summary === undefined) return
    const { baseline } = summary
    const now = rateOf(outcomes[ours()])
    const base = rateOf(outcomes[summary.methods.findIndex(({ name }) => name === baseline)])
    if (now === undefined) {
      advised.textContent = "Nothing to advise: the method does not run here."
      return
    }
    const best = ranked(advice, now)
    const against = base === undefined ? undefined : { name: baseline, throughput: base }
    if (best.length === 0)
      advised.textContent =
        "None of the windows, compressors, splits of memory and links that were tried serves more."
    else
      advised.replaceChildren(
        adviceList(best, now, against, ({ field, value }) =>
          context.navigate(withChange(context.state(), field, value))
        )
      )
    verdict.textContent = advisedVerdict(verdictOf(summary, outcomes).headline, best, against)
  }

  /** What takes longer than the verdict: what would help, then the curves. */
  const curves = (state: PageState): void => {
    const method = ours()
    points = []
    optimum = undefined
    rows = []
    advice = []
    if (method < 0) {
      const none = "The scenario has no VeriCache method."
      advised.textContent = none
      windows.show(placeholder(none))
      breakEven.show(placeholder(none))
      return
    }
    advised.textContent = "Simulating what might help…"
    windows.show(placeholder(WAITING))
    breakEven.show(placeholder("Computing…"))
    cancels.push(
      context.simulation.ask({ kind: "breakEven", source: state, method }, (response) => {
        if (response.kind === "row") rows.push(response)
        if (response.kind === "problem") breakEven.show(placeholder(response.message))
        else breakEven.show((width) => drawBreakEven(rows, width))
      }),
      context.simulation.ask({ kind: "advice", source: state, method }, (response) => {
        if (response.kind === "advice") advice.push(response)
        if (response.kind === "done") advise()
      }),
      context.simulation.ask({ kind: "windows", source: state, method }, (response) => {
        if (response.kind === "optimum") optimum = response
        if (response.kind === "window") points.push(response)
        const complete = response.kind === "done"
        windows.show((width) => drawWindows(points, optimum, complete, width))
      })
    )
  }

  /** What is wrong with the text as it is being edited. */
  const check = (): void => {
    const { file } = context.state()
    cancels.push(
      context.simulation.ask(
        { kind: "check", source: { file, text: editor.text, changes: [] } },
        (response) => {
          if (response.kind === "checked") editor.faults = response.faults
        }
      )
    )
  }

  /** The scenarios there are to begin with; the one that is shown is chosen. */
  const offer = (files: readonly string[], now: string): void =>
    bundled.replaceChildren(
      ...(files.includes(now) ? [] : [element("option", { value: now, selected: true }, now)]),
      ...files.map((file) => element("option", { value: file, selected: file === now }, file))
    )

  /** A scenario with faults: its text comes first, for there is nothing else to see. */
  const faulty = (
    { faults, files, text }: Extract<Response, { readonly kind: "faults" }>,
    file: string
  ): void => {
    summary = undefined
    verdict.textContent = "This scenario cannot be simulated as it is."
    note.textContent = ""
    offer(files, file)
    editor.offer(file, text)
    editor.faults = faults
    const [first] = faults
    const show = element("button", { type: "button" }, "Show the first")
    show.addEventListener("click", () => editor.goToFault())
    problems.replaceChildren(
      failure(
        faults.length === 1 ? "It has a fault" : `It has ${faults.length} faults`,
        ...(first === undefined
          ? []
          : [
              `${first.file}, line ${first.line}, column ${first.column}: ${first.field === "" ? "" : `${first.field}: `}${first.message}${first.suggestion === undefined ? "" : `; ${first.suggestion}`}`
            ]),
        ...(faults.some(({ message }) => message.includes("cannot be read"))
          ? [
              "Files that the scenario names are opened or dropped like it, with it or afterwards: each is found by its name."
            ]
          : [])
      ),
      show
    )
  }

  const heard = (state: PageState, response: Response): void => {
    switch (response.kind) {
      case "scenario":
        summary = response.summary
        outcomes = summary.methods.map(() => undefined)
        problems.replaceChildren()
        body.classList.remove("faulty")
        timeline.disabled = false
        offer(summary.files, state.file)
        editor.offer(state.file, summary.text)
        editor.faults = []
        // A control in use keeps its focus: what it shows is what was asked.
        if (!controls.contains(document.activeElement))
          controls.replaceChildren(...summary.controls.map((control) => controlFor(control, set)))
        break
      case "method":
        outcomes[response.index] = response.outcome
        draw()
        break
      case "faults":
        body.classList.add("faulty")
        faulty(response, state.file)
        break
      case "problem":
        problems.replaceChildren(failure("The simulation broke", response.message))
        break
      case "done":
        if (summary !== undefined) curves(state)
        break
      default:
    }
  }

  apply.addEventListener("click", () => {
    const { text } = editor
    editor.take()
    context.navigate({ text, changes: [] })
  })
  reset.addEventListener("click", () => {
    reset.focus()
    context.navigate({ changes: [] })
  })
  save.addEventListener("click", () => {
    download(context.state().file.split("/").at(-1)!, new Blob([editor.text], { type: "application/yaml" }))
  })
  bundled.addEventListener("change", () => {
    editor.take()
    context.navigate({ file: bundled.value, text: undefined, changes: [], view: {} })
  })
  timeline.addEventListener("click", () => {
    context.navigate({ screen: "timeline", view: { open: methodId(Math.max(0, ours())) } })
  })

  return {
    update: (state) => {
      const wanted = JSON.stringify([state.file, state.text, state.changes, context.simulation.given])
      if (wanted === asked) return
      asked = wanted
      stop()
      cancels.push(
        context.simulation.ask({ kind: "simulate", source: state }, (response) => heard(state, response))
      )
    },
    dispose: stop
  }
}
