/**
 * The package as its users get it: packed, installed into an empty folder, run there. It has no dependencies, so nothing is
 * fetched; it runs on the system's Node, not on the one pinned for development.
 *
 *     node scripts/check-package.ts [FOLDER]
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"

const root = join(import.meta.dirname, "..")
const folder = process.argv[2] ?? mkdtempSync(join(tmpdir(), "vericache-package-"))
mkdirSync(folder, { recursive: true })

/** Runs a command; what it printed. Throws if it fails. */
const run = (cwd: string, path: string, command: string, ...args: readonly string[]): string => {
  const done = spawnSync(command, args, { cwd, env: { ...process.env, PATH: path }, encoding: "utf8" })
  if (done.error !== undefined) throw done.error
  if (done.status !== 0)
    throw new Error(`${command} ${args.join(" ")}: exit code ${done.status}\n${done.stdout}${done.stderr}`)
  return done.stdout
}

const pinned = process.env["PATH"] ?? ""
const system = pinned
  .split(delimiter)
  .filter((entry) => !/[\\/]node_modules[\\/]|[\\/]node-gyp-bin$/.test(`${entry}/`))
  .join(delimiter)

run(root, pinned, "npm", "pack", "--silent", "--pack-destination", folder)
const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))
if (tarball === undefined) throw new Error("npm pack made no tarball")

const user = join(folder, "user")
mkdirSync(user)
writeFileSync(join(user, "package.json"), '{ "private": true }\n')
run(user, system, "npm", "install", "--offline", "--silent", `../${tarball}`)

const vericache = join(user, "node_modules", ".bin", "vericache")
const scenario = join(user, "node_modules", "vericache", "scenarios", "llama-70b-2xh100-long-context.yaml")
const nodeVersion = run(user, system, "node", "--version").trim()
for (const args of [["--version"], ["catalog", "hardware"], ["schema"], ["validate", scenario]])
  if (run(user, system, vericache, ...args).trim() === "")
    throw new Error(`vericache ${args.join(" ")} prints nothing`)
console.log(`${tarball} installs and runs on Node ${nodeVersion}`)
