/** A run's own reloads in words, from its trace. */
import type { Hiding } from "../../trace/hiding.ts"
import { percent, seconds } from "./number.ts"

/** Undefined if nothing was reloaded. */
export const reloadWords = (run: Hiding): string | undefined => {
  const parts = [
    ...(run.reloads === 0
      ? []
      : [
          `${run.reloads} reloads in ${seconds(run.seconds)}, ${percent(run.hidden / run.seconds)} of it while passes ran in the same queue`
        ]),
    ...(run.streams === 0
      ? []
      : [`${run.streams} streams into the passes that read them, ${seconds(run.streamed)}`])
  ]
  return parts.length === 0 ? undefined : parts.join("; ")
}

/** What such a share does not say. */
export const ONE_QUEUE =
  "passes and copies share WebGPU's one queue, so a copy beside a pass lengthens it; vericache probe measures how much hides"
