/** Drop like one method, store what is left like another. */
import type { Compressor } from "./compressor.ts"
import type { Dropping } from "./drop.ts"
import type { Quantizing } from "./quantize.ts"

export const hybrid = (drops: Dropping, stores: Quantizing): Compressor => ({
  name: `${drops.name}+${stores.name}`,
  summary: `drops tokens like ${drops.name}, stores the others like ${stores.name}`,
  source: `${drops.source} with ${stores.source}`,
  kind: "hybrid",
  mode: drops.mode,
  takesKeep: true,
  needs: { ...drops.needs, ...stores.needs },
  compress: (observation, budget) => drops.keepAs(observation, budget, stores.storing(observation))
})
