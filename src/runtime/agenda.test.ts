import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Agenda } from "./agenda.ts"

describe("the agenda", () => {
  it("gives entries by iteration, then in the order they came, and none whose epoch has passed", () => {
    const entry = fc.record({ at: fc.nat(30), request: fc.nat(5), ends: fc.boolean() })
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
        const requests = Array.from({ length: 6 }, () => ({ epoch: 0 }))
        const agenda = new Agenda<{ epoch: number }>()
        const plan: { readonly at: number; readonly request: { epoch: number }; readonly epoch: number }[] =
          []
        for (const { at, request, ends } of entries) {
          const one = requests[request]!
          agenda.push(at, "drafted", one)
          plan.push({ at, request: one, epoch: one.epoch })
          if (ends) one.epoch++
        }
        const expected = plan
          .filter(({ request, epoch }) => request.epoch === epoch)
          .toSorted((a, b) => a.at - b.at)
        for (const { at, request } of expected) {
          expect(agenda.next()).toBe(at)
          expect(agenda.pop(at - 1)).toBeUndefined()
          expect(agenda.pop(at)!.request).toBe(request)
        }
        expect([agenda.next(), agenda.pop(1e9)]).toEqual([Number.POSITIVE_INFINITY, undefined])
      })
    )
  })
})
