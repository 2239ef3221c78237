/** What the shell and its screens know of each other. */
import type { SimulationClient } from "../workers/client.ts"
import type { Commands } from "./commands.ts"
import type { OpenedFile } from "./opened-file.ts"
import type { PageState } from "./page-state.ts"
import type { TraceShelf } from "./traces.ts"

export interface ScreenContext {
  /** Where the page is now. */
  readonly state: () => PageState
  /** Goes somewhere: a new entry of the history, or the present one replaced while something is being dragged. */
  readonly navigate: (to: Partial<PageState>, how?: "push" | "replace") => void
  /** Address of a place, for links. */
  readonly href: (to: Partial<PageState>) => string
  /** Traces the screens hand to each other. */
  readonly traces: TraceShelf
  /** For the command palette and `?`. */
  readonly commands: Commands
  /** Says something in passing, to screen readers too. */
  readonly toast: (message: string) => void
  /** The simulator, in its worker. */
  readonly simulation: SimulationClient
  /** Takes files as if they had been dropped: scenarios with files of their own go to What-if, traces to Timeline, results to Sweep. */
  readonly openFiles: (files: readonly OpenedFile[]) => Promise<void>
}

/** A screen on the page. */
export interface Screen {
  /** The page's state changed; also called once right after mounting. */
  readonly update: (state: PageState) => void
  /** Leaves the page: stops workers' runs, takes commands back. */
  readonly dispose: () => void
}

/** What `src/ui/<screen>/screen.ts` exports as `mount`. */
export type Mount = (host: HTMLElement, context: ScreenContext) => Screen
