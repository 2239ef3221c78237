/** Builds the web app once before the tests that look at it in a browser. */
import { execFileSync } from "node:child_process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

/** In a process of its own: what vitest sets for tests would find its way into the build. */
export const setup = (): void => {
  const vite = join(dirname(createRequire(import.meta.url).resolve("vite/package.json")), "bin", "vite.js")
  const { VITEST: _, ...env } = process.env
  execFileSync(process.execPath, [vite, "build", "--mode", "web", "--logLevel", "error"], {
    cwd: join(import.meta.dirname, "..", ".."),
    env: { ...env, NODE_ENV: "production" },
    stdio: "inherit"
  })
}
