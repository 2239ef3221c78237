/** What a browser can measure of its device, and a hardware profile to take home. */
import { element } from "../components/element.ts"
import { failure } from "../components/error-panel.ts"
import type { EngineClient, EngineQuestion } from "../workers/engine-client.ts"
import type { EngineResponse } from "../workers/engine-protocol.ts"
import { Figures } from "./figures.ts"
import { percentText, rateText } from "./units.ts"

const FIGURES = {
  upload: {
    name: "Host to device",
    definition:
      "Bytes per second through staging buffers, median of 7 copies at the size that was fastest of 64 KiB to 8 MiB."
  },
  download: { name: "Device to host", definition: "The same the other way, until the bytes can be read." },
  copy: {
    name: "Within the device",
    definition: "The same from buffer to buffer, read and written bytes together."
  },
  submit: {
    name: "Empty submit",
    definition:
      "Milliseconds of a submit that does nothing, until the queue is idle; median of 21. Browsers round times to 0.1 ms."
  },
  spread: {
    name: "Widest spread",
    definition:
      "The middle half of the repetitions over their median, of the noisiest of the three rates. Above 20 % the figures say more of what else the machine did."
  }
} as const

/** Entries of the hardware catalog. */
const BASES = Object.keys(
  import.meta.glob("../../../scenarios/catalog/hardware/*.yaml", { query: "?url" })
).map((path) => path.replace(/^.*\/|\.yaml$/g, ""))

const WHY_NOT =
  "A software adapter computes on the CPU: its times calibrate no GPU, so no profile is made of them."

export class ProbePanel {
  readonly root: HTMLElement
  readonly #engine: EngineClient
  readonly #figures = new Figures(FIGURES)
  readonly #probe = element("button", { type: "button" }, "Probe the device")
  readonly #export = element("button", { type: "button", disabled: true }, "Export hardware profile")
  readonly #why = element(
    "p",
    { class: "small muted", id: "why-no-profile" },
    "Probe first; then the profile can be exported."
  )
  readonly #stage = element("p", { class: "small muted", role: "status" })
  readonly #progress = element("progress", {
    max: 1,
    value: 0,
    "aria-label": "Progress of the probe",
    hidden: true
  })
  readonly #base = element("select", {})
  #question: EngineQuestion | undefined
  #profile: string | undefined
  #software = false

  constructor(engine: EngineClient) {
    this.#engine = engine
    this.#base.append(...BASES.map((name) => element("option", { value: name }, name)))
    this.#base.value = "rtx-4090"
    this.#export.setAttribute("aria-describedby", "why-no-profile")
    this.root = element(
      "section",
      { class: "card", "aria-label": "Probe" },
      element("header", {}, element("h2", {}, "Probe and calibrate")),
      this.#figures.root,
      element(
        "label",
        {
          class: "field",
          title: "A browser cannot measure peaks and capacities: they are this catalog entry’s."
        },
        element("span", {}, "Profile based on"),
        this.#base
      ),
      element("div", { class: "buttons" }, this.#probe, this.#export),
      this.#progress,
      this.#stage,
      this.#why
    )
    this.#probe.addEventListener("click", () =>
      this.#question === undefined ? this.start() : this.#question.cancel()
    )
    this.#export.addEventListener("click", () => this.#save())
    this.#base.addEventListener("change", () => this.#offer(undefined))
  }

  /** Says which adapter there is: a software one is never offered for calibration. */
  set software(software: boolean) {
    this.#software = software
    this.#base.disabled = software
    if (software) this.#why.textContent = WHY_NOT
  }

  start(): void {
    if (this.#question !== undefined) return
    this.#figures.clear()
    this.#offer(undefined)
    this.#probe.textContent = "Cancel the probe"
    this.#progress.hidden = false
    this.#stage.textContent = "waiting for the device"
    this.#question = this.#engine.ask({ kind: "probe", base: this.#base.value }, (response) =>
      this.#hear(response)
    )
  }

  #hear(response: EngineResponse): void {
    if (response.kind === "stage") {
      this.#stage.textContent = response.stage
      this.#progress.value = response.share ?? 0
    }
    if (response.kind === "probed") {
      const { upload, download, copy, submit, spread } = response.figures
      this.#figures.set({
        upload: rateText(upload),
        download: rateText(download),
        copy: rateText(copy),
        submit: `${(1000 * submit).toPrecision(3)} ms`,
        spread: percentText(spread, 1)
      })
      this.#offer(response.profile)
    }
    if (response.kind === "problem" || response.kind === "noAdapter")
      this.root.append(
        failure("The probe failed", response.kind === "problem" ? response.message : response.reason)
      )
    if (response.kind === "done") {
      this.#question = undefined
      this.#progress.hidden = true
      this.#stage.textContent = ""
      this.#probe.textContent = "Probe the device"
    }
  }

  #offer(profile: string | undefined): void {
    this.#profile = profile
    this.#export.disabled = profile === undefined
    this.#why.textContent = this.#software
      ? WHY_NOT
      : profile === undefined
        ? "Probe first; then the profile can be exported."
        : "What was not measured is the catalog entry’s; the file says which is which."
  }

  #save(): void {
    if (this.#profile === undefined) return
    const address = URL.createObjectURL(new Blob([this.#profile], { type: "application/yaml" }))
    element("a", { href: address, download: `${this.#base.value}-probed.yaml` }).click()
    URL.revokeObjectURL(address)
  }
}
