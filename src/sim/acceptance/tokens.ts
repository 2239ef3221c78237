/**
 * Synthetic text: token ids for simulated rounds, so that the real commit rule can be run on a simulated request and its
 * output compared with the reference run's. Every token is a pure function of seed, request and position.
 */
import { hashInteger } from "../kernel/random.ts"

/** Which text is being made, and from how many distinct tokens (≥ 2). */
export interface Text {
  readonly seed: number
  readonly vocab: number
}

const REFERENCE = 0x7e47
const DIFFERENCE = 0xd1ff

/** The token full-KV decoding puts at a position of a request's output, 0…vocab − 1. */
export const referenceToken = ({ seed, vocab }: Text, request: number, position: number): number =>
  hashInteger(seed, request, position, REFERENCE) % vocab

/** A token that is not the reference's. */
const otherToken = (text: Text, request: number, position: number): number => {
  const { seed, vocab } = text
  const shift = 1 + (hashInteger(seed, request, position, DIFFERENCE) % (vocab - 1))
  return (referenceToken(text, request, position) + shift) % vocab
}

/**
 * What the drafter proposes at `offset` of a round that starts at output position `start` and of which `accepted` tokens
 * will be accepted: the reference's tokens before that offset, another one at it and behind it.
 */
const draftedToken = (text: Text, request: number, start: number, offset: number, accepted: number): number =>
  offset < accepted
    ? referenceToken(text, request, start + offset)
    : otherToken(text, request, start + offset)

/** A round's drafted tokens and the verifier's `drafted + 1`, from which `matchCommit` accepts exactly `accepted`. */
export const roundTokens = (
  text: Text,
  request: number,
  start: number,
  drafted: number,
  accepted: number
): { readonly drafted: number[]; readonly verifier: number[] } => ({
  drafted: Array.from({ length: drafted }, (_, offset) =>
    draftedToken(text, request, start, offset, accepted)
  ),
  verifier: Array.from({ length: drafted + 1 }, (_, offset) => referenceToken(text, request, start + offset))
})
