/** What tests of rows do not care about. */
export const rowOfTrack = (label = "lane", key = "0") => ({
  key,
  label,
  depth: 0,
  track: 0,
  what: "gpu" as const,
  basis: "modelled" as const
})
