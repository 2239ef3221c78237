/** A model's files behind addresses: what a browser reads. */
import { Effect } from "effect"
import { ModelRefused } from "./checkpoint.ts"
import type { ModelFiles } from "./open.ts"

/**
 * Files of a model by their addresses. Each is fetched whole, once, and held as long as these files are: hosts may
 * compress what they send or ignore ranges, and the browser's own cache keeps what has been fetched for the next visit.
 * @param name shown in errors
 * @param addressOf undefined for a file there is none of
 */
export const fetchedFiles = (name: string, addressOf: (path: string) => string | undefined): ModelFiles => {
  const fetched = new Map<string, Promise<Uint8Array>>()
  const whole = (path: string, address: string): Effect.Effect<Uint8Array, ModelRefused> =>
    Effect.tryPromise({
      try: () => {
        const known = fetched.get(path)
        if (known !== undefined) return known
        const coming = download(address)
        fetched.set(path, coming)
        // What failed may be asked for again.
        coming.catch(() => fetched.delete(path))
        return coming
      },
      catch: (error) =>
        new ModelRefused({
          file: `${name}/${path}`,
          reason: `cannot be fetched: ${error instanceof Error ? error.message : String(error)}`
        })
    })
  return {
    name,
    size: Effect.fnUntraced(function* (path: string) {
      const address = addressOf(path)
      return address === undefined ? undefined : (yield* whole(path, address)).length
    }),
    read: (path, from, bytes, into = new Uint8Array(bytes)) => {
      const address = addressOf(path)
      if (address === undefined)
        return Effect.fail(new ModelRefused({ file: `${name}/${path}`, reason: "there is no such file" }))
      return Effect.flatMap(whole(path, address), (data) => {
        if (from + bytes > data.length)
          return Effect.fail(
            new ModelRefused({ file: `${name}/${path}`, reason: `it ends at byte ${data.length}` })
          )
        into.set(data.subarray(from, from + bytes))
        return Effect.succeed(into)
      })
    }
  }
}

const download = async (address: string): Promise<Uint8Array> => {
  const answer = await fetch(address)
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`.trim())
  return new Uint8Array(await answer.arrayBuffer())
}
