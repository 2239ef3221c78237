/** What can be measured of this browser's device, and a hardware profile of it. */
import { Effect } from "effect"
import { type CopyTiming, probeCopies, probeSubmit } from "../../engine/probe/copies.ts"
import { selfCheck } from "../../engine/self-check.ts"
import type { AdapterCard } from "../../engine/webgpu/device.ts"
import { yamlText } from "../../planning/yaml-text.ts"
import { digits } from "../../scenario/hardware-file.ts"
import { browserGpu, scopedDevice } from "./engine-adapter.ts"
import type { Job } from "./engine-job.ts"
import type { ProbeFigures } from "./engine-protocol.ts"

/** Arithmetic of the model that comes with the page. */
const ARITHMETIC = { kvBits: 16, dtype: "F16" } as const

const REPETITIONS = 7

/** Of the size that was fastest, bytes/s. */
const rateOf = (copies: readonly CopyTiming[], wanted: CopyTiming["path"]): number =>
  Math.max(...copies.filter(({ path }) => path === wanted).map(({ bytes, seconds }) => bytes / seconds))

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
      const figures: ProbeFigures = {
        upload: rateOf(copies, "upload"),
        download: rateOf(copies, "download"),
        copy: 2 * rateOf(copies, "copy"),
        submit: submit.seconds,
        spread: Math.max(submit.spread, ...copies.map(({ spread }) => spread))
      }
      // A software adapter's times are those of a CPU: no profile is made of them.
      const profile = device.card.kind === "software" ? undefined : profileOf(device.card, base, figures)
      job.tell({ kind: "probed", figures, profile })
    })
  )

/** A hardware file that changes an entry of the catalog by what a browser can measure. */
const profileOf = (
  { name, kind }: AdapterCard,
  base: string,
  { upload, download, copy, submit }: ProbeFigures
): string =>
  yamlText({
    extends: base,
    name: `${base} as probed in a browser`,
    source: `all figures of ${base} but those of the link; these measured by WebGPU on ${name}`,
    basis: "measured",
    link: {
      host_to_device: digits(upload),
      device_to_host: digits(download),
      source: `median of ${REPETITIONS} copies at the size that was fastest, through staging buffers, WebGPU on ${name} in a browser; latency and sharing as ${base}`
    },
    adapter: { name, kind },
    calibration: {
      from: ["probe in a browser"],
      notes: [
        `copies within the device reach ${digits(copy)} bytes/s, read and written bytes together; the peak of ${base} is kept`,
        `a submit that does nothing takes ${digits(submit)} s`
      ]
    }
  })
