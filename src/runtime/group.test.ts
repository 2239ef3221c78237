import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BatchGroup } from "./group.ts"

const WINDOW = 20

const action = fc.oneof(
  fc.record({ type: fc.constant("join" as const), tokens: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ type: fc.constant("leave" as const), which: fc.nat() }),
  fc.record({ type: fc.constant("grow" as const), steps: fc.integer({ min: 1, max: 30 }) })
)

describe("a batch group", () => {
  it("keeps the sums a look at every member would give", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const group = new BatchGroup(1, WINDOW)
        const members = new Map<number, { tokens: number; joined: number }>()
        let id = 0
        for (const one of actions) {
          if (one.type === "join") {
            group.join(id, one.tokens, Math.min(one.tokens, WINDOW))
            members.set(id++, { tokens: one.tokens, joined: group.steps })
          } else if (one.type === "leave" && members.size > 0) {
            const [victim, { joined }] = [...members][one.which % members.size]!
            expect(group.leave(victim)).toBe(group.steps - joined)
            members.delete(victim)
          } else if (one.type === "grow") {
            const steps = Math.min(one.steps, group.stepsUntilWindowFull())
            group.grow(steps)
            for (const member of members.values()) member.tokens += steps
          }
          const all = [...members.values()]
          expect(group.count).toBe(all.length)
          expect(group.kvTokens).toBe(all.reduce((sum, { tokens }) => sum + tokens, 0))
          expect(group.localKvTokens).toBe(all.reduce((sum, { tokens }) => sum + Math.min(tokens, WINDOW), 0))
          expect(group.localGrowing).toBe(all.filter(({ tokens }) => tokens < WINDOW).length)
        }
      })
    )
  })

  it("does not know strangers", () => {
    expect(() => new BatchGroup(1, 0).leave(3)).toThrow("request 3")
  })
})
