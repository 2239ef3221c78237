import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { kvBytesPerToken } from "../../scenario/model-shape.ts"
import type { Efficiency, Hardware, Model } from "../../scenario/resolved.ts"
import { CostModel } from "./cost-model.ts"
import {
  type AttentionLoad,
  costSeconds,
  emptyCost,
  emptyLoad,
  floorSeconds,
  type PassCost,
  type PassLoad
} from "./load.ts"
import { DEEPSEEK_V3, GEMMA_27B, h100, LLAMA_8B, modelOf, QWEN_30B_A3B } from "./shapes.fixture.ts"

/** One position of each of `requests` after `context` tokens; `window` of local layers. */
const decodeLoad = (requests: number, context: number, window = Number.POSITIVE_INFINITY): PassLoad => {
  const load = emptyLoad()
  const local = requests * Math.min(context, window)
  Object.assign(load.decode, {
    requests,
    positions: requests,
    kvTokens: requests * context,
    pairs: requests * context,
    localKvTokens: local,
    localPairs: local
  })
  load.logits = requests
  return load
}

/** `positions` of one prompt after `cached` tokens. */
const prefillLoad = (positions: number, cached: number): PassLoad => {
  const load = emptyLoad()
  Object.assign(load.prefill, {
    requests: 1,
    positions,
    kvTokens: cached + positions,
    pairs: positions * cached + (positions * (positions + 1)) / 2
  })
  return load
}

const price = (load: PassLoad, model: Model, hardware: Hardware = h100(), ranks = 1, draft = 1): PassCost => {
  const cost = emptyCost()
  new CostModel(model, hardware, ranks, draft).price(load, cost)
  return cost
}

/** What `second` has more than `first`. */
const difference = (second: PassCost, first: PassCost): PassCost => {
  const result = emptyCost()
  for (const key of Object.keys(result) as (keyof PassCost)[]) result[key] = second[key] - first[key]
  return result
}

describe("matmuls that are cut into blocks of rows", () => {
  const plain = h100()
  const blocked: Hardware = {
    ...plain,
    matmulBlock: { rows: 4 },
    efficiency: { ...plain.efficiency, matmul: { ...plain.efficiency.matmul, perBlock: 10e-6 } }
  }

  it.each([
    [1, 1],
    [4, 1],
    [5, 2],
    [16, 4],
    [17, 5]
  ])("of %i rows pay for %i blocks in each of 32 layers, which ranks share", (rows, blocks) => {
    const more = (ranks: number): number =>
      price(decodeLoad(rows, 100), LLAMA_8B, blocked, ranks).compute -
      price(decodeLoad(rows, 100), LLAMA_8B, plain, ranks).compute
    expect(more(1)).toBeCloseTo(32 * blocks * 10e-6, 12)
    expect(more(2)).toBeCloseTo(16 * blocks * 10e-6, 12)
  })

  it("compute all rows of a block, in use or not, unless it has one only, and so does the output head", () => {
    // So slow at arithmetic that nothing else counts.
    const slow: Hardware = { ...blocked, flops: { 16: 1e9 } }
    const compute = (rows: number, logits: number): number =>
      price({ ...decodeLoad(rows, 1), logits }, LLAMA_8B, slow).compute
    expect(compute(6, 0) / compute(8, 0)).toBeCloseTo(1, 3)
    expect(compute(5, 0) / compute(4, 0)).toBeCloseTo(5 / 4, 3)
    const head = (logits: number): number => compute(8, logits) - compute(8, 0)
    expect(head(6) / head(8)).toBeCloseTo(1, 9)
    expect(head(5) / head(4)).toBeCloseTo(5 / 4, 9)
  })
})

describe("against the paper and the datasheet", () => {
  // arXiv:2605.17613, the example of its introduction: 16 GB of weights, 128 KiB of KV a token, 3.35 TB/s.
  it.each([
    { context: 5_000, milliseconds: 5.0 },
    { context: 500_000, milliseconds: 24.3 }
  ])("Llama-3.1-8B takes $milliseconds ms a token at $context tokens", ({ context, milliseconds }) => {
    const model = { ...LLAMA_8B, weightBytes: 16e9 }
    expect(kvBytesPerToken(model)).toBe(128 * 1024)
    const seconds = costSeconds(price(decodeLoad(1, context), model))
    expect(Math.abs((seconds * 1e3) / milliseconds - 1)).toBeLessThan(0.01)
  })

  // T_gpu = (M + B·KV) / BW_hbm, arXiv:2605.17613 (7), where nothing but HBM counts.
  it.each([1, 8, 40])("a batch of %d takes the time of (7)", (batch) => {
    const model = { ...LLAMA_8B, weightBytes: 16e9 }
    const cost = price(decodeLoad(batch, 20_000), model)
    const expected = (16e9 + batch * 20_000 * 128 * 1024) / 3.35e12
    expect(cost.compute + cost.interconnect + cost.scheduling).toBe(0)
    expect(Math.abs(costSeconds(cost) / expected - 1)).toBeLessThan(0.01)
  })

  it("Llama-3.1-8B after 32,768 tokens on an H100 has a floor of 5.76 ms, and takes little more", () => {
    const load = decodeLoad(1, 32_768)
    const floor = floorSeconds(price(load, LLAMA_8B))
    expect(floor * 1e3).toBeCloseTo(5.76, 2)
    const usual: Efficiency = { memory: 0.75, compute: 0.6, overhead: 2e-6 }
    const seconds = costSeconds(price(load, LLAMA_8B, { ...h100(usual), stepOverhead: 5e-4 }))
    expect(seconds).toBeGreaterThan(floor * 1.3)
    expect(seconds).toBeLessThan(10e-3)
  })

  it("a prompt of 32,768 tokens has a floor of 747 ms on an H100: FLOPs at the peak", () => {
    const load = { ...prefillLoad(32_768, 0), logits: 1 }
    expect(floorSeconds(price(load, LLAMA_8B)) * 1e3).toBeCloseTo(747, -1)
  })
})

describe("shapes", () => {
  it("a pass reads all weights but the embedding once, and each request's KV once", () => {
    const cost = price(decodeLoad(4, 1000), LLAMA_8B)
    // QKV and O: 2·4096² + 2·4096·1024; MLP: 3·4096·14336; 32 layers; head 4096·128256; 2 bytes each.
    const weights = 2 * (32 * (41_943_040 + 176_160_768) + 525_336_576)
    expect(cost.memoryFloor * 3.35e12).toBeCloseTo(weights + 4000 * 131_072, -2)
    // Activations are little beside them.
    expect(cost.bytes / (cost.memoryFloor * 3.35e12)).toBeLessThan(1.003)
    expect(cost.flops).toBeCloseTo(4 * weights + 4000 * 32 * 4 * 32 * 128, -2)
  })

  it("tied embeddings change nothing a pass reads, only what is held", () => {
    const tied = { ...LLAMA_8B, tiedEmbeddings: true }
    expect(price(decodeLoad(1, 100), tied)).toEqual(price(decodeLoad(1, 100), LLAMA_8B))
    const held = (model: Model): number => new CostModel(model, h100(), 1, 1).weightBytes
    expect(held(LLAMA_8B) - held(tied)).toBe(2 * 4096 * 128_256)
  })

  it("a pass touches the experts its positions choose: 8, 82.4 and all of 128", () => {
    const bytes = (tokens: number): number => price(decodeLoad(tokens, 0), QWEN_30B_A3B).memoryFloor * 3.35e12
    const expert = 48 * 3 * 2048 * 768 * 2
    const others = bytes(1) - 8 * expert
    const touched = (tokens: number): number => (bytes(tokens) - others) / expert
    // 128·(1 − (15/16)^16) = 82.42.
    expect(touched(16)).toBeCloseTo(82.42, 2)
    expect(touched(4000)).toBeCloseTo(128, 6)
    // QKV and O, router, head.
    const rest = 48 * (2048 * 128 * (2 * 32 + 2 * 4) + 2048 * 128) + 2048 * 151_936
    expect(others).toBeCloseTo(2 * rest, -2)
    // Each position passes through 8 experts, however many are touched.
    const flops = price(decodeLoad(16, 0), QWEN_30B_A3B).flops
    expect(flops).toBeCloseTo(16 * 2 * (rest + 48 * 8 * 3 * 2048 * 768), -2)
  })

  it("MLA decodes over 576 elements a token and layer, 2·128·(2·512 + 64) FLOPs a pair", () => {
    const step = difference(price(decodeLoad(1, 2000), DEEPSEEK_V3), price(decodeLoad(1, 1000), DEEPSEEK_V3))
    expect(step.bytes).toBeCloseTo(1000 * 61 * 576 * 2, -2)
    expect(step.flops / (1000 * 61)).toBeCloseTo(2 * 128 * 1088, 3)
  })

  it("MLA prefills with keys and values of each head, brought back from the latent for what is cached", () => {
    const chunk = 512
    const [early, late] = [1024, 4096]
    const step = difference(
      price(prefillLoad(chunk, late), DEEPSEEK_V3),
      price(prefillLoad(chunk, early), DEEPSEEK_V3)
    )
    const pairs = chunk * (late - early)
    const perLayer = pairs * 2 * 128 * (128 + 64 + 128) + (late - early) * 2 * 512 * 128 * (128 + 128)
    expect(step.flops / (61 * perLayer)).toBeCloseTo(1, 9)
  })

  it("layers with a window read no more than it", () => {
    const at = (context: number): PassCost => price(decodeLoad(1, context, 1024), GEMMA_27B)
    const perLayer = 2 * 16 * 128 * 2
    expect(difference(at(1000), at(500)).bytes).toBeCloseTo(500 * 62 * perLayer, -1)
    expect(difference(at(9000), at(8000)).bytes).toBeCloseTo(1000 * 10 * perLayer, -1)
  })

  it("fewer bits of weights and KV are fewer bytes, and faster units where there are any", () => {
    const eight = { ...LLAMA_8B, weightBytesPerParam: 1, kvBytesPerElement: 1 }
    const load = decodeLoad(1, 100_000)
    expect(price(load, eight).memoryFloor / price(load, LLAMA_8B).memoryFloor).toBeCloseTo(0.5, 3)
    const prompt = prefillLoad(8192, 0)
    expect(price(prompt, eight).computeFloor / price(prompt, LLAMA_8B).computeFloor).toBeCloseTo(
      989 / 1979,
      3
    )
    const sixteenOnly = { ...h100(), flops: { 16: 989e12 } }
    expect(price(prompt, eight, sixteenOnly).computeFloor).toBe(price(prompt, LLAMA_8B).computeFloor)
  })
})

describe("operations", () => {
  it("one operation counts wholly for what bounds it", () => {
    const decode = price(decodeLoad(1, 1000), LLAMA_8B)
    expect([decode.compute, decode.scheduling, decode.interconnect]).toEqual([0, 0, 0])
    const prefill = price(prefillLoad(8192, 0), LLAMA_8B)
    // Matmuls and attention are arithmetic; norms and residuals remain memory.
    expect(prefill.compute / prefill.computeFloor).toBeCloseTo(1, 9)
    expect(prefill.hbm).toBeGreaterThan(0)
    expect(prefill.hbm).toBeLessThan(0.1 * prefill.compute)
  })

  it("verifying reads the KV once for all positions", () => {
    const load = emptyLoad()
    Object.assign(load.verify, { requests: 1, positions: 31, kvTokens: 10_030, pairs: 31 * 10_000 + 496 })
    const one = price(decodeLoad(1, 10_030), LLAMA_8B)
    const cost = price({ ...load, logits: 31 }, LLAMA_8B)
    expect(cost.memoryFloor / one.memoryFloor).toBeCloseTo(1, 9)
    expect(cost.flops).toBeGreaterThan(30 * one.flops)
    // Still bound by HBM: 31 positions cost hardly more than one.
    expect(costSeconds(cost) / costSeconds(one)).toBeLessThan(1.02)
  })

  it("compressed KV is read at its own efficiency", () => {
    const load = emptyLoad()
    Object.assign(load.draft, { requests: 8, positions: 8, kvTokens: 40_000, pairs: 40_000 })
    const plain = price(load, LLAMA_8B)
    const gathered = price(load, LLAMA_8B, h100(), 1, 0.5)
    const attention = (40_000 * 131_072) / 3.35e12
    expect(gathered.hbm - plain.hbm).toBeCloseTo(attention, 12)
    expect(gathered.bytes).toBe(plain.bytes)
  })

  describe("attention of prompts and of requests that decode beside them", () => {
    const kind = (perBlock: number, perToken: number, packsHeads: boolean): Hardware => {
      const hardware = h100()
      const prefill = { memory: 1, compute: 0.5, overhead: 0, perBlock, perToken }
      return {
        ...hardware,
        queryBlock: { rows: 64, packsHeads },
        efficiency: { ...hardware.efficiency, "attention-prefill": prefill }
      }
    }
    /** One prompt of 64 tokens, and 4 requests that decode at 32,000 tokens each. */
    const load = (): PassLoad => {
      const both = prefillLoad(64, 0)
      Object.assign(both.decode, { requests: 4, positions: 4, kvTokens: 128_000, pairs: 128_000 })
      return both
    }

    it("is one call, in which a decoding request fills a row of each head's block", () => {
      const [apart, packed] = [false, true].map((packs) => price(load(), LLAMA_8B, kind(0, 0, packs)))
      // 128,000 pairs in 64 rows of 32 heads, 4·128 FLOPs each, 32 layers; and the prompt's 2,080 pairs, which fill theirs.
      const pairs = 32 * 4 * 128 * 32
      const reading = (128_064 * 131_072) / 3.35e12
      expect(difference(apart!, packed!).compute).toBeCloseTo(
        ((128_000 * 64 + 2080) * pairs) / (989e12 * 0.5),
        9
      )
      // Packed by fours they compute a quarter of it, and reading takes longer.
      expect(difference(packed!, apart!).hbm).toBeCloseTo(reading, 9)
      expect(apart!.flops).toBe(packed!.flops)
    })

    it("costs something for each block, and takes no less than its longest walk over the KV", () => {
      // 32 blocks of the prompt and 32 of each request, in 32 layers.
      const [none, some] = [0, 1e-6].map((perBlock) => price(load(), LLAMA_8B, kind(perBlock, 0, false)))
      expect(difference(some!, none!).compute).toBeCloseTo(32 * 160 * 1e-6, 9)
      const walked = price(load(), LLAMA_8B, kind(0, 1e-6, false))
      const linear = price(prefillLoad(68, 0), LLAMA_8B).compute
      expect(walked.compute - linear).toBeCloseTo(32 * 32_000 * 1e-6, 4)
    })
  })

  it("launches, steps and requests cost what the hardware says", () => {
    const hardware = {
      ...h100({ memory: 1, compute: 1, overhead: 1e-6 }),
      stepOverhead: 1e-3,
      stepOverheadPerRequest: 1e-5
    }
    const { scheduling } = price(decodeLoad(4, 1000), LLAMA_8B, hardware)
    // Per layer 4 matmuls, 4 elementwise, 1 attention; the head once.
    expect(scheduling).toBeCloseTo(1e-3 + 4e-5 + (32 * 9 + 1) * 1e-6, 12)
  })

  it("a classical drafter's bytes are read like weights", () => {
    const load = decodeLoad(1, 1000)
    const more = difference(price({ ...load, drafterBytes: 1e9 }, LLAMA_8B), price(load, LLAMA_8B))
    expect([more.hbm, more.memoryFloor]).toEqual([
      expect.closeTo(1e9 / 3.35e12, 12),
      expect.closeTo(1e9 / 3.35e12, 12)
    ])
  })

  it("a tensor-parallel group reads at the rate of all its ranks and pays for what they tell each other", () => {
    const load = decodeLoad(16, 4000)
    const [one, four] = [price(load, LLAMA_8B), price(load, LLAMA_8B, h100(), 4)]
    expect(four.hbm).toBeCloseTo(one.hbm / 4, 12)
    // All-reduces of 16 positions of 4096 elements of 2 bytes: after the embedding, and two in each of 32 layers.
    const allReduce = (((2 * 3) / 4) * 16 * 4096 * 2) / 450e9 + 1e-5
    // Logits of 16 rows over a vocabulary of 128,256, of which each rank has computed a quarter.
    const gather = ((3 / 4) * 16 * 128256 * 2) / 450e9 + 1e-5
    expect(four.interconnect).toBeCloseTo(65 * allReduce + gather, 12)
    expect(one.interconnect).toBe(0)
    expect(price({ ...load, logits: 0 }, LLAMA_8B, h100(), 4).interconnect).toBeCloseTo(65 * allReduce, 12)
  })
})

describe("for any model, hardware and load", () => {
  const share = fc.double({ min: 0.05, max: 1, noNaN: true })
  const efficiency = fc.record({ memory: share, compute: share, overhead: fc.constantFrom(0, 1e-6, 1e-5) })
  const blocks = fc.record({ perBlock: fc.constantFrom(0, 3e-8), perToken: fc.constantFrom(0, 2e-8) })
  const hardware = fc
    .record({
      matmul: efficiency,
      decode: efficiency,
      prefill: efficiency,
      elementwise: efficiency,
      blocks,
      queryBlock: fc.record({ rows: fc.constantFrom(1, 64, 128), packsHeads: fc.boolean() }),
      head: efficiency,
      bandwidth: fc.double({ min: 1e11, max: 1e13, noNaN: true }),
      flops: fc.double({ min: 1e13, max: 5e15, noNaN: true }),
      eight: fc.boolean()
    })
    .map(
      ({
        matmul,
        decode,
        prefill,
        blocks,
        elementwise,
        head,
        bandwidth,
        flops,
        eight,
        ...rest
      }): Hardware => ({
        ...h100(),
        ...rest,
        hbm: { capacity: 1e11, bandwidth },
        flops: eight ? { 16: flops, 8: 2 * flops } : { 16: flops },
        efficiency: {
          matmul,
          elementwise,
          "attention-decode": { ...decode, perBlock: blocks.perBlock },
          // A call that serves prompts too is no faster than one for decoding alone.
          "attention-prefill": {
            memory: Math.min(decode.memory, prefill.memory),
            compute: Math.min(decode.compute, prefill.compute),
            overhead: Math.max(decode.overhead, prefill.overhead),
            ...blocks
          },
          "lm-head": head
        }
      })
    )
  const width = (most: number) => fc.integer({ min: 1, max: most })
  const attention = fc.oneof(
    fc.record({
      kind: fc.constant("gqa" as const),
      heads: width(64),
      kvHeads: width(8),
      headDim: fc.constantFrom(64, 128, 256)
    }),
    fc.record({
      kind: fc.constant("gqa" as const),
      heads: width(64),
      kvHeads: width(8),
      headDim: fc.constant(128),
      window: fc.constant(1024)
    }),
    fc.record({
      kind: fc.constant("mla" as const),
      heads: width(128),
      qRank: fc.constantFrom(0, 1536),
      kvRank: width(512),
      ropeDim: fc.constant(64),
      nopeDim: fc.constant(128),
      vDim: fc.constant(128)
    })
  )
  const mlp = fc.oneof(
    fc.record({ kind: fc.constant("dense" as const), intermediate: width(30_000) }),
    fc.record({
      kind: fc.constant("moe" as const),
      experts: fc.integer({ min: 8, max: 256 }),
      expertsPerToken: width(8),
      intermediate: width(4096),
      sharedIntermediate: fc.constantFrom(0, 1024)
    })
  )
  const model = fc
    .record({
      layers: fc.array(fc.record({ count: width(40), attention, mlp }), { minLength: 1, maxLength: 3 }),
      hidden: fc.integer({ min: 64, max: 8192 }),
      vocab: fc.integer({ min: 1000, max: 200_000 }),
      weightBytesPerParam: fc.constantFrom(0.5, 1, 2),
      kvBytesPerElement: fc.constantFrom(0.5, 1, 2)
    })
    .map(({ hidden, vocab, layers, ...widths }) => modelOf(hidden, vocab, layers, widths))
  const attentionLoad = fc
    .record({ requests: fc.nat(50), each: fc.integer({ min: 1, max: 300 }), context: fc.nat(200_000) })
    .map(({ requests, each, context }): AttentionLoad => ({
      requests,
      positions: requests * each,
      kvTokens: requests * (context + each),
      localKvTokens: requests * Math.min(context + each, 1024),
      pairs: requests * each * (context + each),
      localPairs: requests * each * Math.min(context + each, 1024)
    }))
  const load = fc.record({
    decode: attentionLoad,
    draft: attentionLoad,
    verify: attentionLoad,
    prefill: attentionLoad,
    logits: fc.nat(1000),
    packed: fc.nat(16),
    drafterBytes: fc.constantFrom(0, 1e9)
  })
  /** What grows with a field: positions and requests come with KV to attend to, as long as the others'. */
  const along = (of: AttentionLoad, field: keyof AttentionLoad, more: number): Partial<AttentionLoad> => {
    const { requests, positions, kvTokens, localKvTokens, pairs, localPairs } = of
    if (field === "positions")
      return {
        kvTokens: kvTokens + more,
        pairs: pairs + (more * kvTokens) / Math.max(1, requests),
        localPairs: localPairs + (more * localKvTokens) / Math.max(1, requests)
      }
    if (field !== "requests") return {}
    if (requests === 0)
      return { positions: more, kvTokens: more, localKvTokens: more, pairs: more, localPairs: more }
    const times = (requests + more) / requests
    return {
      positions: positions * times,
      kvTokens: kvTokens * times,
      localKvTokens: localKvTokens * times,
      pairs: pairs * times,
      localPairs: localPairs * times
    }
  }
  const setting = fc.record({ model, hardware, ranks: fc.constantFrom(1, 2, 8), draft: share })

  it("no pass is faster than the hardware allows, and all its time is accounted for", () => {
    fc.assert(
      fc.property(setting, load, ({ model, hardware, ranks, draft }, load) => {
        const cost = price(load, model, hardware, ranks, draft)
        expect(costSeconds(cost)).toBeGreaterThanOrEqual(floorSeconds(cost) * (1 - 1e-9))
        expect(cost.bytes).toBeGreaterThanOrEqual(
          cost.memoryFloor * hardware.hbm.bandwidth * ranks * (1 - 1e-9)
        )
        for (const part of Object.values(cost)) expect(part).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 300 }
    )
  })

  it("more work never takes less time", () => {
    const kinds = ["decode", "draft", "verify", "prefill"] as const
    const fields = ["requests", "positions", "kvTokens", "localKvTokens", "pairs", "localPairs"] as const
    fc.assert(
      fc.property(setting, load, width(1000), ({ model, hardware, ranks, draft }, load, more) => {
        const costs = new CostModel(model, hardware, ranks, draft)
        const seconds = (of: PassLoad): number => {
          const cost = emptyCost()
          costs.price(of, cost)
          return costSeconds(cost)
        }
        const before = seconds(load) * (1 - 1e-12)
        for (const kind of kinds) {
          for (const field of fields) {
            const entries = along(load[kind], field, more)
            const grown = { ...load[kind], ...entries, [field]: load[kind][field] + more }
            expect(seconds({ ...load, [kind]: grown })).toBeGreaterThanOrEqual(before)
          }
        }
        expect(seconds({ ...load, logits: load.logits + more })).toBeGreaterThanOrEqual(before)
        expect(seconds({ ...load, packed: load.packed + more })).toBeGreaterThanOrEqual(before)
        expect(seconds({ ...load, drafterBytes: load.drafterBytes + more })).toBeGreaterThanOrEqual(before)
      }),
      { numRuns: 100 }
    )
  })

  it("what it remembers is what it counted", () => {
    fc.assert(
      fc.property(setting, load, load, ({ model, hardware, ranks, draft }, load, other) => {
        const costs = new CostModel(model, hardware, ranks, draft)
        const [first, second] = [emptyCost(), emptyCost()]
        costs.price(load, first)
        costs.price(other, second)
        costs.price(load, second)
        expect(second).toEqual(first)
      }),
      { numRuns: 50 }
    )
  })
})
