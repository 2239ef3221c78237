import { describe, expect, it } from "vitest"
import { type Port, SimulationClient } from "./client.ts"
import type { FromWorker, Request, Response, ToWorker } from "./protocol.ts"

const source = { file: "a.yaml", text: undefined, changes: [] }
const question: Request = { kind: "simulate", source }

/** Both ends of the line in one place: what was sent, and a way to answer. */
const line = () => {
  const sent: ToWorker[] = []
  const listeners: ((event: MessageEvent<FromWorker>) => void)[] = []
  const port: Port = {
    postMessage: (message) => sent.push(message),
    addEventListener: (_, told) => listeners.push(told)
  }
  const answer = (id: number, response: Response): void => {
    for (const told of listeners) told(new MessageEvent("message", { data: { id, response } }))
  }
  return { sent, answer, client: new SimulationClient(port) }
}

describe("the worker's client", () => {
  it("cancels a question when the next of its kind comes, and tells no late answer", () => {
    const { sent, answer, client } = line()
    const heard: string[] = []
    client.ask(question, () => heard.push("first"))
    client.ask({ kind: "breakEven", source, method: 0 }, () => heard.push("other kind"))
    client.ask(question, () => heard.push("second"))
    expect(sent[2]).toEqual({ id: 1, cancel: true })
    for (const id of [1, 2, 3]) answer(id, { kind: "done" })
    expect(heard).toEqual(["other kind", "second"])
  })

  it("tells nothing after a question was taken back, and takes it back once", () => {
    const { sent, answer, client } = line()
    const heard: Response[] = []
    const cancel = client.ask(question, (response) => heard.push(response))
    cancel()
    cancel()
    answer(1, { kind: "done" })
    expect(heard).toEqual([])
    expect(sent).toHaveLength(2)
  })
})
