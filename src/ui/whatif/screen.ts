/** What-if: the verdict, the methods side by side, and what changes when a field does. */
import { element } from "../components/element.ts"
import { download, exportButtons } from "../components/download.ts"
import { failure } from "../components/error-panel.ts"
import { withChange, type PageState } from "../shell/page-state.ts"
import type { Mount } from "../shell/screen.ts"
import type { MethodOutcome, Response, ScenarioSummary } from "../workers/protocol.ts"
import { type Advice, adviceList, ranked } from "./advice-list.ts"
import { controlFor } from "./control.ts"
import { type BreakEvenRow, breakEvenRows, drawBreakEven } from "./break-even.ts"
import { methodsRows, methodsTable } from "./methods-table.ts"
import { verdictOf } from "./verdict.ts"
import { drawWindows, type WindowPoint, windowRows } from "./window-curve.ts"
import "./whatif.css"

/** A card with a heading. */
const card = (title: string, ...children: readonly Node[]): HTMLElement =>
  element("section", { class: "card" }, element("header", {}, element("h2", {}, title)), ...children)

/** Buttons that save what a card shows. */
const exported = (
  name: string,
  shown: HTMLElement,
  table: () => readonly (readonly (string | number)[])[]
): HTMLElement => exportButtons({ name, chart: () => shown.querySelector("svg") ?? undefined, table })

export const mount: Mount = (host, context) => {
  const verdict = element("p", { class: "verdict", "aria-live": "polite" }, "Simulating…")
  const note = element("p", { class: "muted small" })
  const problems = element("div", {})
  const table = element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Methods" })
  const controls = element("div", { class: "controls" })
  const windows = element("div", {}, "–")
  const breakEven = element("div", {}, "–")
  const advised = element("div", { "aria-live": "polite" }, "–")
  const text = element("textarea", { "aria-label": "Scenario, YAML", spellcheck: "false", rows: 18 })
  const apply = element("button", { type: "button", class: "primary" }, "Apply")
  const save = element("button", { type: "button" }, "Save")
  const reset = element("button", { type: "button" }, "Reset all")
  const timeline = element("button", { type: "button", disabled: true }, "Open timeline")
  const open = element("input", { type: "file", accept: ".yaml,.yml", "aria-label": "Open a scenario" })
  const bundled = element("select", { "aria-label": "Scenarios that come with vericache" })
  host.append(
    element("h1", { class: "muted small" }, "What if"),
    verdict,
    note,
    problems,
    element(
      "div",
      { class: "whatif" },
      card("Fields", controls, reset),
      element(
        "div",
        { class: "results" },
        card(
          "Methods side by side",
          table,
          element(
            "div",
            { class: "tools" },
            timeline,
            exportButtons({ name: "methods", table: () => methodsRows(summary, outcomes) })
          )
        ),
        card("What would help, simulated", advised),
        card(
          "Throughput over draft window",
          windows,
          exported("draft-window", windows, () => windowRows(points))
        ),
        card(
          "Break-even against full KV, by the closed forms",
          breakEven,
          exported("break-even", breakEven, () => breakEvenRows(rows))
        ),
        card("Scenario", text, element("div", { class: "tools" }, apply, save, bundled, open))
      )
    )
  )

  let summary: ScenarioSummary | undefined
  let outcomes: (MethodOutcome | undefined)[] = []
  let points: WindowPoint[] = []
  let rows: BreakEvenRow[] = []
  let advice: Advice[] = []
  let asked = ""
  const cancels: (() => void)[] = []
  const stop = (): void => {
    for (const cancel of cancels.splice(0)) cancel()
  }

  const set = (field: string, value: string | number | undefined): void =>
    context.navigate(withChange(context.state(), field, value), "replace")

  const draw = (): void => {
    if (summary === undefined) return
    const { headline, detail } = verdictOf(summary, outcomes)
    verdict.textContent = headline
    advised.replaceChildren("–")
    note.textContent = detail
    table.replaceChildren(methodsTable(summary, outcomes))
  }

  /** All of what might help was simulated: the best of it, in the verdict too. */
  const advise = (): void => {
    if (summary === undefined) return
    const { methods, baseline } = summary
    const simulated = (place: number): number | undefined => {
      const outcome = outcomes[place]
      return outcome?.kind === "simulated" ? outcome.metrics.throughput.tokensPerSecond : undefined
    }
    const now = simulated(methods.findIndex(({ kind }) => kind === "vericache"))
    const base = simulated(methods.findIndex(({ name }) => name === baseline))
    if (now === undefined) return
    const best = ranked(advice, now)
    const against = base === undefined ? undefined : { name: baseline, throughput: base }
    advised.replaceChildren(
      best.length === 0
        ? "None of the windows, compressors, splits of memory and links that were tried serves more."
        : adviceList(best, now, against, ({ field, value }) =>
            context.navigate(withChange(context.state(), field, value))
          )
    )
    const [first] = best
    const { headline } = verdictOf(summary, outcomes)
    verdict.textContent =
      first === undefined
        ? `${headline} Nothing that was tried serves more.`
        : `${headline.replace(/\.$/, "")}; ${first.label} it would be ${base === undefined ? `${first.throughput.toPrecision(3)} tok/s` : `${(first.throughput / base).toFixed(2)}×`}.`
  }

  const curves = (state: PageState, method: number): void => {
    points = []
    rows = []
    advice = []
    advised.replaceChildren("Simulating what might help…")
    cancels.push(
      context.simulation.ask({ kind: "advice", source: state, method }, (response) => {
        if (response.kind === "advice") advice.push(response)
        if (response.kind === "done") advise()
      }),
      context.simulation.ask({ kind: "breakEven", source: state, method }, (response) => {
        if (response.kind === "row") rows.push(response)
        if (response.kind === "problem") breakEven.replaceChildren(response.message)
        else breakEven.replaceChildren(drawBreakEven(rows))
      }),
      context.simulation.ask({ kind: "windows", source: state, method }, (response) => {
        if (response.kind === "window") points.push(response)
        windows.replaceChildren(drawWindows(points))
      })
    )
  }

  /** The scenarios there are to begin with; the one that is shown is chosen. */
  const offer = (files: readonly string[], now: string): void =>
    bundled.replaceChildren(
      ...(files.includes(now) ? [] : [element("option", { value: now, selected: true }, now)]),
      ...files.map((file) => element("option", { value: file, selected: file === now }, file))
    )

  const heard = (state: PageState, response: Response): void => {
    switch (response.kind) {
      case "scenario":
        summary = response.summary
        outcomes = summary.methods.map(() => undefined)
        problems.replaceChildren()
        timeline.disabled = false
        offer(summary.files, state.file)
        text.value = summary.text
        // A control in use keeps its focus: what it shows is what was asked.
        if (!controls.contains(document.activeElement))
          controls.replaceChildren(...summary.controls.map((control) => controlFor(control, set)))
        break
      case "method":
        outcomes[response.index] = response.outcome
        draw()
        break
      case "faults":
        verdict.textContent = "This scenario cannot be simulated as it is."
        note.textContent = ""
        if (document.activeElement !== text) text.value = response.text
        offer(response.files, state.file)
        problems.replaceChildren(
          ...response.faults.map(({ file, line, column, field, message, suggestion, excerpt }) =>
            failure(
              `${file}, line ${line}, column ${column}: ${field} ${message}`,
              ...[suggestion, excerpt].filter((one) => one !== undefined)
            )
          )
        )
        break
      case "problem":
        problems.replaceChildren(failure("The simulation broke", response.message))
        break
      case "done": {
        const method = summary?.methods.findIndex(({ kind }) => kind === "vericache") ?? -1
        if (problems.childElementCount === 0 && method >= 0) curves(state, method)
        break
      }
      default:
    }
  }

  apply.addEventListener("click", () => context.navigate({ text: text.value, changes: [] }))
  reset.addEventListener("click", () => {
    reset.focus()
    context.navigate({ changes: [] })
  })
  save.addEventListener("click", () => {
    download(context.state().file.split("/").at(-1)!, new Blob([text.value], { type: "application/yaml" }))
  })
  bundled.addEventListener("change", () =>
    context.navigate({ file: bundled.value, text: undefined, changes: [], view: {} })
  )
  open.addEventListener("change", () => {
    const file = open.files?.[0]
    if (file !== undefined) void context.openFile(file)
  })
  timeline.addEventListener("click", () => {
    const method = summary?.methods.findIndex(({ kind }) => kind === "vericache") ?? -1
    timeline.disabled = true
    cancels.push(
      context.simulation.ask(
        { kind: "trace", source: context.state(), method: Math.max(0, method) },
        (response) => {
          timeline.disabled = false
          if (response.kind === "problem") context.toast(response.message)
          if (response.kind !== "trace") return
          const { id } = context.traces.add(response.name, response.trace)
          context.navigate({ screen: "timeline", view: { open: id } })
        }
      )
    )
  })

  return {
    update: (state) => {
      const wanted = JSON.stringify([state.file, state.text, state.changes])
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
