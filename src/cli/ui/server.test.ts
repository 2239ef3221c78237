import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit, Scope } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { serveApp } from "./server.ts"

/** Status, type and text of what a path answers; the path is sent as it is. */
const ask = (address: string, path: string) =>
  new Promise<{
    readonly status: number | undefined
    readonly type: string | undefined
    readonly text: string
  }>((resolve, reject) => {
    const { hostname, port } = new URL(address)
    request({ hostname, port, path }, (answer) => {
      let text = ""
      answer.on("data", (chunk: Buffer) => (text += chunk.toString()))
      answer.on("end", () =>
        resolve({ status: answer.statusCode, type: answer.headers["content-type"], text })
      )
    })
      .on("error", reject)
      .end()
  })

describe("the server of the web app", () => {
  let folder = ""
  let address = ""
  const scope = Scope.makeUnsafe()
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "vericache-ui-"))
    mkdirSync(join(folder, "web", "assets"), { recursive: true })
    writeFileSync(join(folder, "web", "index.html"), "page")
    writeFileSync(join(folder, "web", "assets", "a.js"), "script")
    writeFileSync(join(folder, "secret.txt"), "secret")
    mkdirSync(join(folder, "mine", "profiles"), { recursive: true })
    writeFileSync(join(folder, "mine", "my run.jsonl"), "trace")
    writeFileSync(join(folder, "mine", "profiles", "gpu.yaml"), "profile")
    writeFileSync(join(folder, "secret.yaml"), "named by the scenario")
    const own = [join(folder, "mine", "profiles", "gpu.yaml"), join(folder, "secret.yaml")]
    const serving = serveApp(join(folder, "web"), 0, join(folder, "mine", "my run.jsonl"), own)
    address = await Effect.runPromise(Effect.provideService(serving, Scope.Scope, scope))
  })
  afterAll(async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    rmSync(folder, { recursive: true })
  })

  it("serves the page, its scripts and the file it was opened with", async () => {
    expect(address).toMatch(
      /^http:\/\/localhost:\d+\/\?open=my\+run\.jsonl&own=profiles%2Fgpu\.yaml&own=\.\.%2Fsecret\.yaml$/
    )
    expect(await ask(address, "/")).toMatchObject({
      status: 200,
      type: "text/html; charset=utf-8",
      text: "page"
    })
    expect(await ask(address, "/assets/a.js")).toMatchObject({ status: 200, type: "text/javascript" })
    expect(await ask(address, "/open/my%20run.jsonl")).toMatchObject({ status: 200, text: "trace" })
  })

  it("serves what a scenario names, wherever that is", async () => {
    expect(await ask(address, "/open/profiles%2Fgpu.yaml")).toMatchObject({ status: 200, text: "profile" })
    expect(await ask(address, "/open/..%2Fsecret.yaml")).toMatchObject({ text: "named by the scenario" })
  })

  it("serves nothing else", async () => {
    for (const path of [
      "/../secret.txt",
      "/%2e%2e/secret.txt",
      "/open/secret.txt",
      "/open/..%2Fsecret.txt",
      "/assets",
      "/none.js"
    ])
      expect((await ask(address, path)).status).toBe(404)
    expect((await ask(address, "/%")).status).toBe(400)
  })

  it("says when a port is taken", async () => {
    const { port } = new URL(address)
    const exit = await Effect.runPromiseExit(Effect.scoped(serveApp(folder, Number(port), undefined)))
    expect(Exit.isFailure(exit) && String(exit.cause)).toContain(`--port ${port}`)
  })
})
