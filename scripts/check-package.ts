/**
 * The package as its users get it: packed, unpacked where npm would put it, run there on the system's Node, not on the one
 * pinned for development. Its dependencies are those of this checkout, so nothing is fetched.
 *
 *     node scripts/check-package.ts [FOLDER]
 */
import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, delimiter, dirname, join } from "node:path"

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

const modules = join(folder, "user", "node_modules")
const installed = join(modules, "vericache")
mkdirSync(installed, { recursive: true })
run(folder, system, "tar", "-xzf", tarball, "--strip-components=1", "-C", installed)
const { dependencies } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as {
  readonly dependencies: Readonly<Record<string, string>>
}
for (const name of Object.keys(dependencies)) {
  mkdirSync(dirname(join(modules, name)), { recursive: true })
  symlinkSync(join(root, "node_modules", name), join(modules, name))
}

for (const file of ["dist/web/index.html", "models/vericache-1m/model.safetensors"])
  if (!existsSync(join(installed, file))) throw new Error(`${file} is not in the package`)

const user = join(folder, "user")
const vericache = join(installed, "dist", "vericache.js")
const scenario = join(installed, "scenarios", "llama-70b-2xh100-long-context.yaml")
const nodeVersion = run(user, system, "node", "--version").trim()
for (const args of [["--version"], ["catalog", "hardware"], ["schema"], ["validate", scenario]])
  if (run(user, system, vericache, ...args).trim() === "")
    throw new Error(`vericache ${args.join(" ")} prints nothing`)
const generated = run(
  user,
  system,
  vericache,
  "generate",
  "import os",
  "--adapter",
  "software",
  "--max-tokens",
  "12",
  "--window",
  "4"
)
if (!generated.includes("identical to full KV: yes")) throw new Error(`generate prints\n${generated}`)

const ui = spawn(vericache, ["ui", scenario, "--no-open"], {
  cwd: user,
  env: { ...process.env, PATH: system },
  stdio: ["ignore", "pipe", "ignore"]
})
try {
  const address = await new Promise<string>((resolve, reject) => {
    ui.stdout.once("data", (bytes: Buffer) => resolve(bytes.toString().trim()))
    ui.once("exit", (code) => reject(new Error(`vericache ui: exit code ${code}`)))
  })
  const page = await (await fetch(address)).text()
  const script = /src="(\.\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? "its script"
  for (const path of [script, `open/${basename(scenario)}`]) {
    const answer = await fetch(new URL(path, address))
    if (!answer.ok) throw new Error(`vericache ui serves no ${path}: ${answer.status}`)
    await answer.arrayBuffer()
  }
} finally {
  ui.kill()
}
console.log(`${tarball} installs and runs on Node ${nodeVersion}`)
