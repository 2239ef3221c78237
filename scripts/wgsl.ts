/** Lets Node import WGSL as text, as Vite does: `node --import ./scripts/wgsl.ts FILE`. */
import { readFileSync } from "node:fs"
import { registerHooks } from "node:module"
import { fileURLToPath } from "node:url"

registerHooks({
  load: (url, context, next) =>
    url.endsWith(".wgsl?raw")
      ? {
          format: "module",
          shortCircuit: true,
          source: `export default ${JSON.stringify(readFileSync(fileURLToPath(url.replace("?raw", "")), "utf8"))}`
        }
      : next(url, context)
})
