import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect, Result } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { fetchedFiles } from "./fetched-files.ts"

describe("files behind addresses", () => {
  const asked: string[] = []
  let broken = true
  let server: Server
  let base = ""
  beforeAll(async () => {
    server = createServer(({ url }, answer) => {
      asked.push(url!)
      if (url === "/flaky" && broken) answer.writeHead(503, "Busy").end()
      else answer.end(Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7]))
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => server.close())
  const files = () => fetchedFiles("model", (path) => (path === "none" ? undefined : `${base}/${path}`))

  it("fetches each once and reads pieces of its own", async () => {
    const model = files()
    expect(await Effect.runPromise(model.size("weights"))).toBe(8)
    const piece = await Effect.runPromise(model.read("weights", 4, 4))
    expect([...piece]).toEqual([4, 5, 6, 7])
    piece.fill(9)
    expect([...(await Effect.runPromise(model.read("weights", 4, 4)))]).toEqual([4, 5, 6, 7])
    expect(asked.filter((url) => url === "/weights")).toHaveLength(1)
  })

  it("says which file is short or missing", async () => {
    const model = files()
    expect(await Effect.runPromise(model.size("none"))).toBeUndefined()
    const told = async (path: string, bytes: number) =>
      Result.getFailure(await Effect.runPromise(Effect.result(model.read(path, 4, bytes))))
    expect(String(await told("weights", 5))).toContain("model/weights: it ends at byte 8")
    expect(String(await told("none", 5))).toContain("model/none: there is no such file")
  })

  it("asks again for what could not be fetched", async () => {
    const model = files()
    const refused = await Effect.runPromise(Effect.flip(model.size("flaky")))
    expect(refused.message).toBe("model/flaky: cannot be fetched: 503 Busy")
    broken = false
    expect(await Effect.runPromise(model.size("flaky"))).toBe(8)
  })
})
