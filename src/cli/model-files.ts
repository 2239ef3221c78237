/** A model's files in a folder. */
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { ModelRefused } from "../engine/weights/checkpoint.ts"
import type { ModelFiles } from "../engine/weights/open.ts"

export const folderFiles = (folder: string): ModelFiles => ({
  name: folder,
  size: (path) =>
    Effect.sync(() => {
      const file = join(folder, path)
      return existsSync(file) ? statSync(file).size : undefined
    }),
  read: (path, from, bytes, data = new Uint8Array(bytes)) =>
    Effect.try({
      try: () => {
        const file = openSync(join(folder, path), "r")
        try {
          let done = 0
          while (done < bytes) {
            const got = readSync(file, data, done, bytes - done, from + done)
            if (got === 0) throw new Error(`it ends at byte ${from + done}`)
            done += got
          }
        } finally {
          closeSync(file)
        }
        return data
      },
      catch: (error) =>
        new ModelRefused({
          file: join(folder, path),
          reason: error instanceof Error ? error.message : String(error)
        })
    })
})
