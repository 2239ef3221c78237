/** The newest tokens of a context stay as they are, whatever a compression method keeps of the others: a twentieth, at least 16. */
export const recentTokens = (tokens: number): number => Math.max(16, Math.ceil(tokens / 20))
