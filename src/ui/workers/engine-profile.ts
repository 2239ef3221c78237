/** What a browser measured of a device, as a hardware profile. */
import type { AdapterCard } from "../../engine/webgpu/device.ts"
import { yamlText } from "../../planning/yaml-text.ts"
import { digits } from "../../scenario/hardware-file.ts"
import type { ProbeFigures } from "./engine-protocol.ts"

/** A hardware file that changes an entry of the catalog by what a browser can measure. */
export const profileOf = (
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
      source: `median of repeated copies at the size that was fastest, through staging buffers, WebGPU on ${name} in a browser; latency and sharing as ${base}`
    },
    adapter: { name, kind },
    calibration: {
      from: ["probe in a browser"],
      fits: [],
      notes: [
        `copies within the device reach ${digits(copy)} bytes/s, read and written bytes together; the peak of ${base} is kept`,
        `a submit that does nothing takes ${digits(submit)} s`
      ]
    }
  })
