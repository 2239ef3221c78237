/** What readers of other tools' JSON share. */

/** What is wrong with a field of a JSON file. */
export interface Complaint {
  readonly field: string
  readonly message: string
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const isNumber = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value)

/** A list of finite numbers ≥ 0; undefined if the field is absent, or, with a complaint, if it is something else. */
export const numbers = (
  value: Readonly<Record<string, unknown>>,
  field: string,
  complaints: Complaint[]
): readonly number[] | undefined => {
  const list = value[field]
  if (list === undefined || list === null) return undefined
  const wrong = Array.isArray(list) ? list.findIndex((one) => !isNumber(one) || one < 0) : -2
  if (wrong === -1) return list as readonly number[]
  complaints.push(
    wrong === -2
      ? { field, message: "expected a list of numbers" }
      : { field: `${field}[${wrong}]`, message: "expected a number ≥ 0" }
  )
  return undefined
}
