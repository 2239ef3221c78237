/** Hardware: this browser's WebGPU, the embedded model on it, and what can be measured of it. */
import { element } from "../components/element.ts"
import type { Mount } from "../shell/screen.ts"
import { EngineClient } from "../workers/engine-client.ts"
import { adapterCard } from "./adapter-card.ts"
import { ProbePanel } from "./probe-panel.ts"
import { RunPanel, type RunTraces } from "./run-panel.ts"
import { SettingsForm } from "./settings-form.ts"
import "./hardware.css"

export const mount: Mount = (host, context) => {
  const engine = new EngineClient()
  const run = element("button", { type: "submit", class: "primary" }, "Run")
  const cancel = element("button", { type: "button", disabled: true }, "Cancel")
  const lose = element(
    "button",
    {
      type: "button",
      disabled: true,
      title:
        "Destroys the device under the run, as a driver’s reset would: the run opens another and goes on."
    },
    "Lose the device"
  )
  const form = new SettingsForm(() => context.navigate({ view: form.view }, "replace"), run, cancel, lose)
  const links = element("p", { class: "links" })
  const offer = (traces: RunTraces | undefined): void => {
    links.replaceChildren()
    if (traces === undefined) return
    const { compressor, window } = form.settings
    const ours = context.traces.add(`measured here: ${compressor}, window ${window}`, traces.vericache)
    const full = context.traces.add("measured here: full KV", traces.full)
    links.append(
      element(
        "a",
        { class: "button", href: context.href({ screen: "timeline", view: { open: ours.id } }) },
        "Measured trace in Timeline"
      ),
      element(
        "a",
        { class: "button", href: context.href({ screen: "timeline", view: { open: full.id } }) },
        "Full KV’s in Timeline"
      ),
      element(
        "a",
        { class: "button", href: context.href({ screen: "compare", view: { a: full.id, b: ours.id } }) },
        "Compare both"
      )
    )
  }
  const trust = element("p", { class: "small", role: "status" })
  const checked = (differing: readonly string[]): void => {
    trust.className = differing.length === 0 ? "small good" : "small warning"
    trust.textContent =
      differing.length === 0
        ? "Self-check passed: a position’s result is the same in every bit alone, in a span and in a batch."
        : `Self-check failed: this adapter’s results depend on what else it computes, so output may differ. ${differing.join("; ")}.`
  }
  const runPanel = new RunPanel({ engine, form, run, cancel, lose, onTraces: offer, onChecked: checked })
  const probe = new ProbePanel(engine)
  const check = element("button", { type: "button" }, "Self-check")
  check.addEventListener("click", () => {
    check.disabled = true
    trust.className = "small muted"
    trust.textContent = "checking"
    engine.ask({ kind: "check" }, (response) => {
      if (response.kind === "checked") checked(response.differing)
      if (response.kind === "problem") trust.textContent = response.message
      if (response.kind === "done") check.disabled = false
    })
  })
  const adapter = element(
    "section",
    { class: "card", "aria-label": "Adapter" },
    element("header", {}, element("h2", {}, "Adapter"), check),
    element("p", { class: "muted" }, "asking the browser for an adapter")
  )
  runPanel.root.append(links)
  const page = element(
    "div",
    { class: "hardware" },
    element("h1", { class: "hidden" }, "Hardware"),
    element(
      "section",
      { class: "card ask", "aria-label": "Settings" },
      element("header", {}, element("h2", {}, "Run the embedded model here")),
      form.root
    ),
    runPanel.root,
    element("div", { class: "side" }, adapter, probe.root)
  )
  host.append(page)

  engine.ask({ kind: "describe" }, (response) => {
    if (response.kind === "compressors") form.offer(response.compressors)
    if (response.kind === "adapter") {
      adapter.lastElementChild!.replaceWith(adapterCard(response, trust))
      probe.software = response.card.kind === "software"
    }
    if (response.kind === "noAdapter" || response.kind === "problem")
      page.replaceWith(
        nothing(response.kind === "problem" ? response.message : response.reason, context.href)
      )
  })
  const forget = context.commands.register([
    { name: "Run the embedded model", key: "r", run: () => runPanel.start() },
    { name: "Cancel the run", key: "x", run: () => runPanel.cancel() },
    { name: "Probe the device", run: () => probe.start() }
  ])
  return {
    update: ({ view }) => {
      form.view = view
    },
    dispose: () => {
      forget()
      engine.close()
    }
  }
}

/** No adapter: why, and where to go on. */
const nothing = (reason: string, href: Parameters<Mount>[1]["href"]): HTMLElement =>
  element(
    "section",
    { class: "card no-adapter", "aria-label": "No adapter" },
    element("h1", {}, "The engine cannot run in this browser"),
    element("p", {}, reason),
    element(
      "p",
      { class: "muted" },
      "Everything else works without it: the other screens simulate. On the command line, `vericache generate` runs the engine on any machine."
    ),
    element(
      "p",
      { class: "links" },
      element("a", { class: "button", href: href({ screen: "whatif", view: {} }) }, "What-if"),
      element("a", { class: "button", href: href({ screen: "timeline", view: {} }) }, "Timeline")
    )
  )
