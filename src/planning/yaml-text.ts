/** Fields as YAML a person can read: a line a field, records of fields indented two deep, everything else as JSON, which YAML is too. */

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const block = (fields: Fields, deep: number, indent: string): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const name = /^[A-Za-z_$][\w$-]*$/.test(key) ? key : JSON.stringify(key)
      if (isFields(value) && deep > 0 && Object.keys(value).length > 0)
        return `${indent}${name}:\n${block(value, deep - 1, `${indent}  `)}`
      if (
        Array.isArray(value) &&
        deep > 0 &&
        value.length > 0 &&
        value.every((one) => typeof one !== "number" && !Array.isArray(one))
      )
        return `${indent}${name}:\n${value.map((one) => `${indent}  - ${JSON.stringify(one)}\n`).join("")}`
      return `${indent}${name}: ${JSON.stringify(value)}\n`
    })
    .join("")

export const yamlText = (fields: Fields): string => block(fields, 2, "")
