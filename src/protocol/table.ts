/**
 * The request machine compiled to a transition table, for bulk runs: some thirty times the speed of an xstate actor and
 * proved equal to it on every path (`table.test.ts`). Reads xstate's state nodes, which are semi-public: this file is the
 * only one that does, and xstate's version is pinned.
 */
import { requestMachine } from "./request.machine.ts"
import type { RequestCommand, RequestContext, RequestEvent, RequestInput } from "./vocabulary.ts"

interface Arguments {
  readonly context: RequestContext
  readonly event: RequestEvent
}
type Assignment = Readonly<Record<string, unknown>>
/** An action as a state node holds it: an assign, or a command's name with or without parameters. */
type Action =
  | string
  | ({ (): void } & { readonly type: string; readonly assignment: Assignment })
  | { readonly type: string; readonly params?: object | ((args: Arguments) => object) }
interface Transition {
  readonly guard?: string
  readonly target?: readonly { readonly key: string }[]
  readonly actions: readonly Action[]
}
type Run = (context: RequestContext, event: RequestEvent, out: RequestCommand[]) => RequestContext
interface Edge {
  readonly guard: ((args: Arguments) => boolean) | undefined
  /** State it leads to, −1 = stays. */
  readonly target: number
  readonly run: Run
}

/** What a table steps: changed in place. */
export interface Steppable {
  state: number
  context: RequestContext
}

export interface RequestTable {
  readonly states: readonly string[]
  readonly initialState: number
  /** Commands given on arrival. */
  readonly initialCommands: readonly RequestCommand[]
  readonly initialContext: (input: RequestInput) => RequestContext
  /** Applies `event`, appends the commands it gives to `out`; false if the state ignores the event. */
  readonly step: (request: Steppable, event: RequestEvent, out: RequestCommand[]) => boolean
}

const assignment = (fields: Assignment): Run => {
  const entries = Object.entries(fields)
  return (context, event) => {
    const next: Record<string, unknown> = { ...context }
    for (const [key, value] of entries) {
      next[key] =
        typeof value === "function" ? (value as (args: Arguments) => unknown)({ context, event }) : value
    }
    return next as unknown as RequestContext
  }
}

const command = (type: string, params: object | ((args: Arguments) => object) | undefined): Run => {
  if (typeof params === "function") {
    return (context, event, out) => {
      out.push({ type, ...params({ context, event }) } as RequestCommand)
      return context
    }
  }
  const fixed = { type, ...params } as RequestCommand
  return (context, _event, out) => {
    out.push(fixed)
    return context
  }
}

const compileAction = (action: Action): Run => {
  if (typeof action === "function") {
    if (action.type !== "xstate.assign") throw new Error("only assigns and named commands compile")
    return assignment(action.assignment)
  }
  return typeof action === "string" ? command(action, undefined) : command(action.type, action.params)
}

const sequence = (actions: readonly Action[]): Run => {
  const runs = actions.map(compileAction)
  return (context, event, out) => {
    let current = context
    for (const run of runs) current = run(current, event, out)
    return current
  }
}

const compile = (): RequestTable => {
  const { root } = requestMachine
  const states = Object.keys(root.states)
  const guards = requestMachine.implementations.guards as unknown as Readonly<
    Record<string, (args: Arguments) => boolean>
  >
  const edge = ({ guard, target, actions }: Transition): Edge => ({
    guard: guard === undefined ? undefined : guards[guard]!,
    target: target === undefined ? -1 : states.indexOf(target[0]!.key),
    run: sequence(actions)
  })
  const edges = states.map((name): ReadonlyMap<string, readonly Edge[]> => {
    const state = root.states[name]!
    const on = new Map<string, Edge[]>()
    if (state.type === "final") return on
    if (
      state.type !== "atomic" ||
      state.invoke.length > 0 ||
      state.after.length > 0 ||
      state.entry.length > 0
    ) {
      throw new Error(`state ${name} is not flat`)
    }
    for (const node of [state, root]) {
      for (const [type, transitions] of node.transitions as unknown as Iterable<[string, Transition[]]>) {
        on.set(type, [...(on.get(type) ?? []), ...transitions.map(edge)])
      }
    }
    return on
  })
  const initialContext = (input: RequestInput): RequestContext => ({
    ...input,
    committed: 0,
    drafted: 0,
    retries: 0,
    rounds: 0
  })
  const initialCommands: RequestCommand[] = []
  const unknownRequest = initialContext({ mode: "full", output: 1, window: 0, maxRetries: 0 })
  sequence(root.entry as unknown as Action[])(unknownRequest, { type: "CANCEL" }, initialCommands)
  return {
    states,
    initialState: states.indexOf("queued"),
    initialCommands,
    initialContext,
    step(request, event, out) {
      for (const { guard, target, run } of edges[request.state]!.get(event.type) ?? []) {
        if (guard !== undefined && !guard({ context: request.context, event })) continue
        request.context = run(request.context, event, out)
        if (target >= 0) request.state = target
        return true
      }
      return false
    }
  }
}

export const requestTable: RequestTable = compile()
