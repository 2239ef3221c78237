/**
 * WebGPU in Node: Dawn on the machine's own Vulkan driver where there is one, else on SwiftShader, the software Vulkan
 * driver inside the npm package @sparticuz/chromium. Nothing has to be installed on the system.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { createRequire } from "node:module"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { brotliDecompressSync } from "node:zlib"
import { Effect } from "effect"
import { NoAdapter } from "../engine/webgpu/device.ts"
import { napWhileWaiting, type Waited } from "./naps.ts"

/** Which adapter is wanted: the best there is, or the software one whatever there is. */
export type AdapterChoice = "auto" | "software"

/** What dawn.node exports. */
interface Dawn {
  readonly create: (flags: string[]) => GPU
  readonly globals: Waited
}

/**
 * Timestamps are wanted as exact as they are; Dawn keeps f16 from NVIDIA's Vulkan driver unless asked. Bounds checks stay on,
 * though they cost software adapters a third: a stray write would end in somebody's KV.
 */
const TOGGLES = [
  "enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia",
  "disable-dawn-features=timestamp_quantization"
]

const require = createRequire(import.meta.url)

/** Folder of an installed package; undefined if it is not there. */
const packageFolder = (name: string): string | undefined => {
  for (const folder of require.resolve.paths(name) ?? []) {
    const found = join(folder, name)
    if (existsSync(join(found, "package.json"))) return found
  }
  return undefined
}

const LOADER = "libvulkan.so.1"
const LOADER_FOLDERS = [
  ...(process.env["LD_LIBRARY_PATH"] ?? "").split(":").filter((folder) => folder !== ""),
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib64",
  "/usr/lib",
  "/lib64"
]

/** Where the machine has a graphics driver of its own to try. Without a Vulkan loader Dawn only complains. */
const hasSystemDriver = (): boolean =>
  process.platform !== "linux" || LOADER_FOLDERS.some((folder) => existsSync(join(folder, LOADER)))

const dawnFile = (folder: string): string =>
  join(
    folder,
    "dist",
    `${process.platform}-${process.platform === "darwin" ? "universal" : process.arch}`,
    "dawn.node"
  )

/** Regular files of a tar archive, by name. */
const untar = (archive: Uint8Array): ReadonlyMap<string, Uint8Array> => {
  const files = new Map<string, Uint8Array>()
  const text = (from: number, bytes: number): string =>
    new TextDecoder().decode(archive.subarray(from, from + bytes)).replace(/\0.*$/s, "")
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    const size = Number.parseInt(text(at + 124, 12), 8)
    const type = text(at + 156, 1)
    if (type === "0" || type === "") files.set(text(at, 100), archive.subarray(at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}

/** Makes the folder SwiftShader runs from, once per version: its driver, the Vulkan loader, and a Dawn that looks there. */
const softwareFolder = (webgpu: string, chromium: string): string => {
  const version = (folder: string): string =>
    (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { readonly version: string }).version
  const caches = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache")
  const target = join(caches, "vericache", `swiftshader-${version(chromium)}-dawn-${version(webgpu)}`)
  if (existsSync(target)) return target
  mkdirSync(dirname(target), { recursive: true })
  const draft = mkdtempSync(`${target}-`)
  const archive = brotliDecompressSync(readFileSync(join(chromium, "bin", "swiftshader.tar.br")))
  for (const [name, data] of untar(archive))
    if (/^(\.\/)?(libvk_swiftshader\.so|libvulkan\.so\.1|vk_swiftshader_icd\.json)$/.test(name))
      writeFileSync(join(draft, name), data, { mode: 0o755 })
  // Dawn looks for the loader in the folder it was loaded from; a link would lead it back to its own.
  copyFileSync(dawnFile(webgpu), join(draft, "dawn.node"))
  try {
    renameSync(draft, target)
  } catch (error) {
    // Another process was quicker; its folder is as good.
    rmSync(draft, { recursive: true })
    if (!existsSync(target)) throw error
  }
  return target
}

const load = (file: string): Dawn => {
  const loaded = { exports: {} }
  process.dlopen(loaded, file)
  return loaded.exports as Dawn
}

/** Dawn lives only as long as what `create` returned. */
const alive: GPU[] = []

const open = (file: string): GPU => {
  const { create, globals } = load(file)
  napWhileWaiting(globals)
  const gpu = create([...TOGGLES])
  alive.push(gpu)
  return gpu
}

/** WebGPU on this machine. Fails, saying what would help, if there is none. */
export const nodeGpu = (choice: AdapterChoice): Effect.Effect<GPU, NoAdapter> =>
  Effect.gen(function* () {
    const webgpu = packageFolder("webgpu")
    if (webgpu === undefined || !existsSync(dawnFile(webgpu)))
      return yield* new NoAdapter({
        reason: `the engine needs the npm package webgpu, which is not installed for ${process.platform}-${process.arch}; npm install webgpu`
      })
    if (choice === "auto" && hasSystemDriver()) {
      const gpu = open(dawnFile(webgpu))
      const adapter = yield* Effect.promise(() => gpu.requestAdapter({ powerPreference: "high-performance" }))
      if (adapter !== null) return gpu
    }
    const chromium = packageFolder("@sparticuz/chromium")
    if (chromium === undefined || process.platform !== "linux" || process.arch !== "x64")
      return yield* new NoAdapter({
        reason:
          "there is no WebGPU adapter on this machine; on x64 Linux the npm package @sparticuz/chromium brings a software one"
      })
    const folder = softwareFolder(webgpu, chromium)
    process.env["VK_DRIVER_FILES"] = join(folder, "vk_swiftshader_icd.json")
    return open(join(folder, "dawn.node"))
  })
