/** What can be done in the timeline by key or by name. */
import type { Command } from "../shell/commands.ts"
import { panned, type Viewport, zoomed } from "./viewport.ts"

export interface ViewActions {
  readonly run: Viewport
  readonly view: () => Viewport
  readonly go: (to: Viewport) => void
  readonly area: () => void
  readonly none: () => void
  readonly mark: () => void
  readonly find: () => void
  readonly next: (by: 1 | -1) => void
  readonly filter: () => void
  readonly step: (by: 1 | -1) => void
  readonly pin: () => void
  readonly selected: () => void
  readonly rows: () => void
  readonly rounds: () => void
}

export const viewCommands = (to: ViewActions): readonly Command[] => {
  const zoom = (factor: number) => () => to.go(zoomed(to.view(), factor, 0.5, to.run))
  const pan = (share: number) => () => to.go(panned(to.view(), share, to.run))
  return [
    { name: "Zoom in", key: "w", run: zoom(0.7) },
    { name: "Zoom out", key: "s", run: zoom(1 / 0.7) },
    { name: "Earlier", key: "a", run: pan(-0.2) },
    { name: "Later", key: "d", run: pan(0.2) },
    { name: "Earlier (arrow)", key: "ArrowLeft", run: pan(-0.2) },
    { name: "Later (arrow)", key: "ArrowRight", run: pan(0.2) },
    { name: "Zoom in (arrow)", key: "ArrowUp", run: zoom(0.7) },
    { name: "Zoom out (arrow)", key: "ArrowDown", run: zoom(1 / 0.7) },
    { name: "Fit the whole run", key: "f", run: () => to.go(to.run) },
    { name: "Fit the selected slice or stretch", key: "e", run: to.selected },
    { name: "Previous slice of the row", key: ",", run: () => to.step(-1) },
    { name: "Next slice of the row", key: ".", run: () => to.step(1) },
    { name: "Statistics of what is in view", key: "i", run: to.area },
    { name: "No selection", key: "Escape", run: to.none },
    { name: "Mark the selected slice, or the middle of the view", key: "m", run: to.mark },
    { name: "Find slices", key: "/", run: to.find },
    { name: "Next one found", key: "n", run: () => to.next(1) },
    { name: "Previous one found", key: "p", run: () => to.next(-1) },
    { name: "Filter rows", key: "r", run: to.filter },
    { name: "Pin or unpin the row of the selected slice", key: "t", run: to.pin },
    { name: "Go to the rows", key: "g", run: to.rows },
    { name: "Rounds laid over each other", key: "v", run: to.rounds }
  ]
}
