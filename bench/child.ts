/** Measurements in processes of their own, so that none inherits another's compiled code, heap or peak memory. */
import { spawn } from "node:child_process"
import { join } from "node:path"

/** Runs `script` of this folder in a fresh Node and parses what it prints, which is JSON. Rejects if it fails. */
export const inChild = <A>(
  script: string,
  args: readonly string[],
  nodeFlags: readonly string[] = []
): Promise<A> =>
  new Promise((resolve, reject) => {
    const file = join(import.meta.dirname, script)
    const child = spawn(process.execPath, [...nodeFlags, file, ...args], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    const chunks: Buffer[] = []
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.on("error", reject)
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")) as A)
      else reject(new Error(`${script} ended with code ${code}`))
    })
  })
