import { closeSync, fsyncSync, openSync } from "node:fs"
import { dirname } from "node:path"

/** Waits until a file, and that it is in its folder, is on the disk. */
export const syncToDisk = (path: string): void => {
  for (const name of [path, dirname(path)]) {
    const fd = openSync(name, "r")
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }
}
