/** What a process that serves is told. */
export type EdgeRequest =
  /** `deaios`: a node with its database and an API key; `yoga`: the same schema as graphql-yoga serves it by itself. */
  | { readonly kind: 'open'; readonly how: 'deaios' | 'yoga'; readonly folder: string }
  /** node:http alone, which reads each request and answers these bytes. */
  | { readonly kind: 'plain'; readonly answer: Uint8Array }
  /** Seconds of processor time that it has used. */
  | { readonly kind: 'cpu' }

export interface EdgeAnswers {
  readonly open: { readonly port: number; readonly authorization: string | null }
  readonly plain: { readonly port: number }
  readonly cpu: number
}

/** What a process that makes load is told: the same bytes again and again, the next when the last was answered. */
export interface RepeatRequest {
  readonly kind: 'repeat'
  readonly port: number
  readonly request: Uint8Array
  readonly connections: number
  readonly seconds: number
  /** Whether the process keeps its core meanwhile: for servers that use only one other. */
  readonly staysAwake: boolean
}

export interface RepeatAnswers {
  readonly repeat: Repeated
}

export interface Repeated {
  readonly requests: number
  readonly ms: number
  /** The body of the first answer; all others were as long. */
  readonly answer: Uint8Array
}
