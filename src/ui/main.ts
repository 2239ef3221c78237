/** The page: bar, router, what is dropped on it. Screens are fetched when they are first shown. */
import { failure } from "./components/error-panel.ts"
import { element } from "./components/element.ts"
import { Commands } from "./shell/commands.ts"
import { decodeState, encodeState, type PageState, type ScreenName, SCREENS } from "./shell/page-state.ts"
import type { Mount, Screen, ScreenContext } from "./shell/screen.ts"
import { headOf, type OpenedFile, textsOf } from "./shell/opened-file.ts"
import { isScenario, openedTogether } from "./shell/own-files.ts"
import { openPalette } from "./shell/palette.ts"
import { themeButton } from "./shell/theme.ts"
import { TraceShelf } from "./shell/traces.ts"
import { SimulationClient } from "./workers/client.ts"

const TITLES: Readonly<Record<ScreenName, string>> = {
  whatif: "What-if",
  timeline: "Timeline",
  compare: "Compare",
  hardware: "Hardware",
  sweep: "Sweep"
}

/** Modules of the screens there are. */
const MODULES = import.meta.glob<{ readonly mount: Mount }>("./*/screen.ts")

/** Screens of this build, in their order. */
const BUILT = SCREENS.filter((name) => MODULES[`./${name}/screen.ts`] !== undefined)

const host = document.querySelector<HTMLElement>("#screen")!
const bar = document.querySelector<HTMLElement>(".bar")!
const note = document.querySelector<HTMLElement>(".toast")!
const commands: Commands = new Commands([
  ...BUILT.map((name, i) => ({
    name: `Go to ${TITLES[name]}`,
    key: String(i + 1),
    run: () => navigate({ screen: name, view: {} })
  })),
  {
    name: "Switch between light and dark",
    run: () => document.querySelector<HTMLElement>("#theme")?.click()
  },
  { name: "Show all commands and keys", key: "?", run: () => openPalette(commands, host) }
])
const traces = new TraceShelf()
const simulation = new SimulationClient(
  new Worker(new URL("./workers/simulation.ts", import.meta.url), { type: "module" })
)

let state = decodeState(location.hash)
let shown: { readonly name: ScreenName; readonly screen: Screen } | undefined
/** Counts screens asked for: one that comes late is not shown. */
let asked = 0

const href = (to: Partial<PageState>): string => encodeState({ ...state, ...to })

const navigate: ScreenContext["navigate"] = (to, how = "push") => {
  const address = href(to)
  if (address === encodeState(state)) return
  if (how === "push") history.pushState(undefined, "", address)
  else history.replaceState(undefined, "", address)
  void show()
}

const toast = (message: string): void => {
  note.textContent = message
  note.classList.remove("shown")
  void note.offsetWidth
  note.classList.add("shown")
}

const openScenario = async (files: readonly OpenedFile[], shown: string | undefined): Promise<void> => {
  const { scenario, own } = openedTogether(await textsOf(files), shown)
  if (own.length > 0) simulation.give(own)
  if (scenario === undefined) await show()
  else navigate({ screen: "whatif", file: scenario.name, text: scenario.text, changes: [], view: {} })
}

const openFiles: ScreenContext["openFiles"] = async (files) => {
  const shown = state.screen === "whatif" ? state.text : undefined
  if (isScenario(files, shown)) return openScenario(files, shown)
  const [file] = files
  if (file === undefined) return
  const results = /\.(parquet|csv)$/i.test(file.name)
  const text = /\.(jsonl?|json)$/i.test(file.name) ? await headOf(file, 200) : ""
  // An address that was made with this file before shows the same of it again.
  const open = state.view["open"]
  const again =
    state.screen === "timeline" && state.view["of"] === file.name && traces.file(open ?? "") === undefined
  const { id } = traces.leave(file, open)
  if (results || text.startsWith('{"sweep"')) navigate({ screen: "sweep", view: { open: id } })
  else navigate({ screen: "timeline", view: { ...(again ? state.view : {}), open: id, of: file.name } })
}

const context: ScreenContext = {
  state: () => state,
  navigate,
  href,
  traces,
  commands,
  toast,
  simulation,
  openFiles
}

const links = new Map<ScreenName, HTMLAnchorElement>(
  BUILT.map((name) => [name, element("a", { href: href({ screen: name, view: {} }) }, TITLES[name])])
)
bar.append(
  element("strong", { class: "mark" }, "vericache"),
  element("nav", { "aria-label": "Screens" }, ...links.values()),
  element("button", { type: "button", title: "Commands (Ctrl+K), keys (?)", id: "commands" }, "Commands"),
  themeButton()
)
bar.querySelector("#commands")!.addEventListener("click", () => openPalette(commands, host))

/** Shows what the address asks for. */
const show = async (): Promise<void> => {
  state = decodeState(location.hash)
  const { screen: name } = state
  for (const [one, link] of links) {
    link.href = href({ screen: one, view: {} })
    if (one === name) link.setAttribute("aria-current", "page")
    else link.removeAttribute("aria-current")
  }
  document.title = `${TITLES[name]} · vericache`
  const turn = ++asked
  try {
    if (shown?.name === name) {
      shown.screen.update(state)
      return
    }
    const module = await MODULES[`./${name}/screen.ts`]?.()
    if (turn !== asked) return
    shown?.screen.dispose()
    shown = undefined
    host.replaceChildren()
    host.dataset["screen"] = name
    if (module === undefined) {
      host.append(failure(`${TITLES[name]} is not part of this build`, "The other screens work."))
      return
    }
    shown = { name, screen: module.mount(host, context) }
    shown.screen.update(state)
  } catch (error) {
    host.append(failure("This screen met an error it cannot go on from", describe(error)))
  }
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error))

addEventListener("popstate", () => void show())
addEventListener("hashchange", () => void show())
addEventListener("keydown", (event) => {
  // Firefox keeps Ctrl+Shift+P for itself.
  const key = event.key.toLowerCase()
  if ((event.ctrlKey || event.metaKey) && (event.shiftKey ? key === "p" : key === "k")) {
    event.preventDefault()
    openPalette(commands, host)
    return
  }
  const command = document.querySelector("dialog[open]") === null ? commands.forKey(event) : undefined
  if (command === undefined) return
  event.preventDefault()
  command.run()
})
addEventListener("dragover", (event) => event.preventDefault())
addEventListener("drop", (event) => {
  event.preventDefault()
  const files = [...(event.dataTransfer?.files ?? [])]
  void openFiles(files).catch((error: unknown) => toast(`${files[0]?.name}: ${describe(error)}`))
})
addEventListener("error", ({ message }) => toast(message))
addEventListener("unhandledrejection", ({ reason }) => toast(describe(reason)))

const served = (name: string): OpenedFile => ({
  name,
  url: new URL(`./open/${encodeURIComponent(name)}`, location.href).href
})

/** `vericache ui FILE` serves the file beside the page, and those that a scenario names. */
const begin = async (): Promise<void> => {
  const query = new URLSearchParams(location.search)
  const own = query.getAll("own").map(served)
  if (own.length > 0) simulation.give(await textsOf(own))
  const opened = query.get("open")
  const elsewhere = location.hash !== "" && state.view["of"] !== opened
  if (opened === null || elsewhere) await show()
  else await openFiles([served(opened)])
}

void begin().catch((error: unknown) => {
  toast(describe(error))
  void show()
})
