/** A run on this browser's device: its tokens as they come, its figures, and the proof that full KV says the same. */
import { element } from "../components/element.ts"
import { failure } from "../components/error-panel.ts"
import type { TraceView } from "../shell/traces.ts"
import type { EngineClient, EngineQuestion } from "../workers/engine-client.ts"
import type { EngineResponse, RunFigures } from "../workers/engine-protocol.ts"
import { Figures } from "./figures.ts"
import type { SettingsForm } from "./settings-form.ts"
import { legend, TokenStream } from "./token-stream.ts"
import { bytesText, percentText } from "./units.ts"

const FIGURES = {
  rounds: {
    name: "Rounds",
    definition: "Drafts of up to a window of tokens, each verified in one pass on the full KV cache."
  },
  acceptance: {
    name: "Acceptance",
    definition: "Drafted tokens that the full KV cache confirmed, over all drafted."
  },
  perRound: {
    name: "Tokens a round",
    definition: "Tokens that became final, over rounds: accepted ones and the verifier’s own."
  },
  moved: {
    name: "Moved in / out",
    definition: "Bytes of KV copied from host memory to the device, and back."
  },
  compressed: {
    name: "Compressed KV",
    definition: "KV on the device after the prompt over the full KV then, in whole pages."
  },
  speed: {
    name: "Speed, tok/s",
    definition:
      "Output tokens over seconds since the first pass, the prompt’s included, the model already loaded."
  },
  full: {
    name: "Full KV, tok/s",
    definition: "The same for decoding on full KV alone, one request on the same device."
  }
} as const

/** Both runs' traces, for other screens. */
export interface RunTraces {
  readonly vericache: TraceView
  readonly full: TraceView
}

export interface RunPanelOptions {
  readonly engine: EngineClient
  readonly form: SettingsForm
  readonly run: HTMLButtonElement
  readonly cancel: HTMLButtonElement
  readonly lose: HTMLButtonElement
  readonly onTraces: (traces: RunTraces | undefined) => void
  readonly onChecked: (differing: readonly string[]) => void
}

export class RunPanel {
  readonly root: HTMLElement
  readonly #options: RunPanelOptions
  readonly #verdict = element("p", { class: "verdict", role: "status" })
  readonly #stage = element("p", { class: "muted small stage" })
  readonly #notes = element("div", {})
  readonly #stream = new TokenStream()
  readonly #figures = new Figures(FIGURES)
  #question: EngineQuestion | undefined

  constructor(options: RunPanelOptions) {
    this.#options = options
    this.#figures.root.setAttribute("aria-label", "Figures of the run")
    this.root = element(
      "section",
      { class: "card output", "aria-label": "Run" },
      element("header", {}, element("h2", {}, "Output"), legend()),
      this.#verdict,
      this.#stage,
      this.#notes,
      this.#figures.root,
      this.#stream.root
    )
    this.#say("idle", "Not run yet. Run it: the output is proved equal to full-KV decoding as it comes.")
    options.form.root.addEventListener("submit", (event) => {
      event.preventDefault()
      this.start()
    })
    options.cancel.addEventListener("click", () => this.cancel())
    options.lose.addEventListener("click", () => this.#question?.lose())
  }

  start(): void {
    const { engine, form, onTraces } = this.#options
    if (this.#question !== undefined || !form.root.reportValidity()) return
    const { settings } = form
    onTraces(undefined)
    this.#figures.clear()
    this.#notes.replaceChildren()
    this.#stream.begin(settings.prompt)
    this.#say("running", "Identical to full KV: not compared yet")
    this.#question = engine.ask({ kind: "generate", settings }, (response) => this.#hear(response))
    this.#buttons(true)
  }

  cancel(): void {
    if (this.#question === undefined) return
    this.#question.cancel()
    this.#stage.textContent = "cancelling"
    this.#say("idle", "Cancelled: nothing was proved.")
  }

  #buttons(running: boolean): void {
    const { run, cancel, lose } = this.#options
    const focused = document.activeElement
    run.disabled = running
    cancel.disabled = !running
    lose.disabled = !running
    // The focus goes to the button that is of use now, if it was on one that is not.
    if (running && focused === run) cancel.focus()
    if (!running && (focused === cancel || focused === lose)) run.focus()
  }

  #say(kind: "idle" | "running" | "yes" | "no", text: string): void {
    this.#verdict.dataset["verdict"] = kind
    this.#verdict.textContent = text
  }

  #hear(response: EngineResponse): void {
    switch (response.kind) {
      case "stage":
        this.#stage.textContent =
          response.share === undefined
            ? response.stage
            : `${response.stage}: ${percentText(response.share, 1)}`
        return
      case "checked":
        this.#options.onChecked(response.differing)
        return
      case "round":
        this.#stage.textContent = "drafting on compressed KV, verifying on full KV"
        this.#stream.add(response.figures.rounds, response.tokens)
        this.#count(response.figures)
        return
      case "drafted":
        this.#stage.textContent = "decoding again on full KV alone"
        this.#count(response.figures)
        this.#figures.set({
          compressed: `${bytesText(response.compressedBytes)} of ${bytesText(response.fullBytes)}`
        })
        return
      case "compared":
        this.#compared(response)
        return
      case "deviceLost":
        this.#notes.append(
          element(
            "p",
            { class: "warning" },
            `The device was lost (${response.reason}). A new one was opened, and the run goes on from what host memory has.`
          )
        )
        return
      case "traces":
        this.#options.onTraces(response)
        return
      case "noAdapter":
      case "problem":
        this.#notes.append(
          failure("The run ended early", response.kind === "problem" ? response.message : response.reason)
        )
        this.#say("idle", "Identical to full KV: not compared")
        return
      case "done":
        this.#question = undefined
        this.#stage.textContent = ""
        this.#buttons(false)
        return
      default:
    }
  }

  #count({ rounds, tokens, drafted, accepted, bytesIn, bytesOut, seconds }: RunFigures): void {
    this.#figures.set({
      rounds: rounds.toLocaleString("en"),
      acceptance: `${percentText(accepted, drafted)} (${accepted} of ${drafted})`,
      perRound: rounds === 0 ? "–" : (1 + accepted / rounds).toFixed(1),
      moved: `${bytesText(bytesIn)} / ${bytesText(bytesOut)}`,
      speed: seconds === 0 ? "–" : (tokens / seconds).toFixed(1)
    })
  }

  #compared({
    tokens,
    same,
    of,
    seconds,
    ended
  }: Extract<EngineResponse, { readonly kind: "compared" }>): void {
    const differs = same < Math.min(tokens, of) || (ended && tokens !== of)
    this.#stream.prove(same, differs)
    this.#figures.set({ full: seconds === 0 ? "–" : (tokens / seconds).toFixed(1) })
    if (differs)
      this.#say(
        "no",
        `Identical to full KV: NO, they part at token ${same + 1}. This is a fault; please report it.`
      )
    else if (ended) this.#say("yes", `Identical to full KV: yes, all ${of} tokens`)
    else this.#say("running", `Identical to full KV: yes so far, ${same} of ${of} tokens`)
  }
}
