/** What can be measured of this browser's device, and a hardware profile of it. */
import { Effect } from "effect"
import { type CopyTiming, probeCopies, probeSubmit } from "../../engine/probe/copies.ts"
import { selfCheck } from "../../engine/self-check.ts"
import { browserGpu, scopedDevice } from "./engine-adapter.ts"
import type { Job } from "./engine-job.ts"
import { profileOf } from "./engine-profile.ts"
import type { ProbeFigures } from "./engine-protocol.ts"

/** Arithmetic of the model that comes with the page. */
const ARITHMETIC = { kvBits: 16, dtype: "F16" } as const

const REPETITIONS = 7
/** What browsers round times to for pages that are not isolated. */
const LEAST_SECONDS = 1e-4

/** The size that was fastest. Smaller ones are over before a browser's coarse clock has ticked. */
const fastest = (copies: readonly CopyTiming[], wanted: CopyTiming["path"]): CopyTiming =>
  copies.filter(({ path }) => path === wanted).reduce((best, one) => (rate(one) > rate(best) ? one : best))

/** Bytes/s. */
const rate = ({ bytes, seconds }: CopyTiming): number => bytes / Math.max(seconds, LEAST_SECONDS)

export const checkDevice = (job: Job) =>
  Effect.scoped(
    Effect.gen(function* () {
      const gpu = yield* browserGpu
      const device = yield* scopedDevice(gpu, job)
      job.tell({ kind: "checked", differing: yield* selfCheck({ gpu, device, ...ARITHMETIC }) })
    })
  )

export const probeDevice = (base: string, job: Job) =>
  Effect.scoped(
    Effect.gen(function* () {
      const gpu = yield* browserGpu
      const device = yield* scopedDevice(gpu, job)
      job.tell({ kind: "stage", stage: "copying to the device and within it", share: 0 })
      const copies = yield* probeCopies(device, REPETITIONS)
      job.tell({ kind: "stage", stage: "submitting nothing, for what a submit costs", share: 0.8 })
      const submit = yield* probeSubmit(device, 3 * REPETITIONS)
      const upload = fastest(copies, "upload")
      const download = fastest(copies, "download")
      const copy = fastest(copies, "copy")
      const figures: ProbeFigures = {
        upload: rate(upload),
        download: rate(download),
        copy: 2 * rate(copy),
        submit: submit.seconds,
        spread: Math.max(upload.spread, download.spread, copy.spread)
      }
      // A software adapter's times are those of a CPU: no profile is made of them.
      const profile = device.card.kind === "software" ? undefined : profileOf(device.card, base, figures)
      job.tell({ kind: "probed", figures, profile })
    })
  )
