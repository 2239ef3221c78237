/** Compare: two runs side by side, and what explains that one takes longer. */
import { failure } from "../components/error-panel.ts"
import { element } from "../components/element.ts"
import { methodOf, methodsOf } from "../shell/methods.ts"
import type { PageState } from "../shell/page-state.ts"
import type { Mount } from "../shell/screen.ts"
import type { OpenTrace } from "../shell/traces.ts"
import type { ScenarioSummary } from "../workers/protocol.ts"
import { Chooser } from "./chooser.ts"
import { compareInWorker, Runs, sourceKey } from "./comparing.ts"
import { type Comparison, unpairedOf, verdictOf } from "./comparison.ts"
import { deltaTable } from "./delta-table.ts"
import type { Side } from "./lanes.ts"
import { Panes } from "./panes.ts"
import { QUANTITIES } from "./phases.ts"
import { waterfallCard } from "./waterfall-chart.ts"
import "./compare.css"

interface Shown {
  readonly a: OpenTrace
  readonly b: OpenTrace
  readonly comparison: Comparison
  readonly panes: Panes
  readonly retire: () => void
}

export const mount: Mount = (host, context) => {
  const runs = new Runs(context)
  const verdict = element("p", { class: "answer", role: "status", "aria-live": "polite" })
  const aside = element("p", { class: "muted small", "data-unpaired": "" })
  const body = element("div", { class: "body" })
  const table = element("div", { class: "slot" })
  let methods: ScenarioSummary["methods"] = []
  let described = ""
  let asked = ""
  let quantity = ""
  let shown: Shown | undefined
  let disposed = false

  const idOf = ({ view }: PageState, side: Side): string => view[side] ?? ""
  const choose = (to: Readonly<Partial<Record<Side, string>>>): void => {
    const { range: _, slice: __, request: ___, ...view } = context.state().view
    context.navigate({ view: { ...view, ...to } })
  }
  const open = (side: Side, file: File): void => choose({ [side]: context.traces.leave(file).id })
  const chooser = new Chooser(choose, open)
  host.append(
    element(
      "div",
      { class: "compare" },
      element("h1", { class: "unseen" }, "Compare two runs"),
      verdict,
      aside,
      chooser.element,
      body
    )
  )
  const offer = (): void => {
    const state = context.state()
    chooser.show(
      { open: [...context.traces.all, ...runs.files], methods },
      { a: idOf(state, "a"), b: idOf(state, "b") }
    )
  }
  const clear = (): void => {
    shown?.retire()
    shown?.panes.dispose()
    shown = undefined
    body.replaceChildren()
    aside.textContent = ""
  }
  const tabulate = ({ view }: PageState): void => {
    if (shown === undefined) return
    const wanted = QUANTITIES.find((name) => name === view["quantity"]) ?? "mean"
    if (wanted === quantity) return
    quantity = wanted
    const { a, b, comparison } = shown
    const bases = { a: a.trace.meta.basis, b: b.trace.meta.basis }
    const focused = table.contains(document.activeElement)
    table.replaceChildren(
      deltaTable(comparison.phases, bases, wanted, (to) =>
        context.navigate({ view: { ...context.state().view, quantity: to } }, "replace")
      )
    )
    if (focused) table.querySelector<HTMLElement>("select")?.focus()
  }

  const compare = async (state: PageState): Promise<void> => {
    clear()
    const turn = asked
    const current = (): boolean => !disposed && turn === asked
    const ids = { a: idOf(state, "a"), b: idOf(state, "b") }
    if (ids.a === "" || ids.b === "") {
      verdict.textContent = "Choose two runs: what takes longer in one of them, and why?"
      aside.textContent =
        'Simulate methods of the scenario in What-if, choose runs measured under Hardware, or open and drop traces that "vericache simulate FILE --trace run.jsonl" wrote.'
      return
    }
    const broken: Node[] = []
    const find = async (side: Side): Promise<OpenTrace | undefined> => {
      try {
        const tell = (doing: string): void => {
          if (current()) verdict.textContent = `${doing} (${side.toUpperCase()})`
        }
        return await runs.get(ids[side], tell)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        broken.push(failure(`${side.toUpperCase()} cannot be compared`, why))
        return undefined
      }
    }
    // One after the other: a newer simulation would cancel the older.
    const a = await find("a")
    if (!current()) return
    const b = ids.b === ids.a ? a : await find("b")
    if (!current()) return
    offer()
    if (a === undefined || b === undefined) {
      verdict.textContent = "There is nothing to compare yet."
      body.replaceChildren(...broken)
      return
    }
    verdict.textContent = "Comparing…"
    try {
      const comparison = await compareInWorker(a, b)
      if (current()) show(a, b, comparison)
    } catch (error) {
      if (!current()) return
      verdict.textContent = "There is nothing to compare yet."
      const why = error instanceof Error ? error.message : String(error)
      body.replaceChildren(failure("These runs cannot be compared", why))
    }
  }

  const show = (a: OpenTrace, b: OpenTrace, comparison: Comparison): void => {
    clear()
    const panes = new Panes(context, a, b, comparison)
    shown = { a, b, comparison, panes, retire: context.commands.register(panes.commands) }
    quantity = ""
    verdict.textContent = verdictOf(comparison)
    verdict.dataset["provenance"] = [...new Set([a.trace.meta.basis, b.trace.meta.basis])].join(" and ")
    verdict.title = `Time from the first begin to the last end, over what is named; ${verdict.dataset["provenance"]}`
    const lost = (["a", "b"] as const).flatMap((side) => {
      const { dropped } = { a, b }[side].trace
      return dropped === 0 ? [] : [` ${side.toUpperCase()} lost ${dropped} records to its limit.`]
    })
    aside.textContent = unpairedOf(comparison) + lost.join("")
    const bases = { a: a.trace.meta.basis, b: b.trace.meta.basis }
    body.replaceChildren(table, waterfallCard(comparison.waterfall, bases), panes.element)
    tabulate(context.state())
    panes.update(context.state())
  }

  const describe = (state: PageState): void => {
    described = sourceKey(state)
    const turn = described
    void methodsOf(context).then((found) => {
      if (disposed || turn !== described) return
      methods = found ?? []
      offer()
    })
  }

  const dragged = (event: DragEvent): void => {
    const file = event.dataTransfer?.files[0]
    if (file === undefined || !/\.jsonl$/i.test(file.name)) return
    event.preventDefault()
    event.stopPropagation()
    open(idOf(context.state(), "a") === "" ? "a" : "b", file)
  }
  host.addEventListener("drop", dragged)
  const unhear = context.traces.onChange(offer)

  return {
    update: (state) => {
      if (sourceKey(state) !== described) describe(state)
      offer()
      const simulates = [idOf(state, "a"), idOf(state, "b")].some((id) => methodOf(id) !== undefined)
      const wanted = JSON.stringify([idOf(state, "a"), idOf(state, "b"), simulates ? sourceKey(state) : ""])
      if (wanted !== asked) {
        asked = wanted
        runs.stop()
        void compare(state)
        return
      }
      tabulate(state)
      shown?.panes.update(state)
    },
    dispose: () => {
      disposed = true
      host.removeEventListener("drop", dragged)
      unhear()
      runs.stop()
      clear()
    }
  }
}
