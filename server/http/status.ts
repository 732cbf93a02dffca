const STATUS: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  GONE: 410,
  TOO_LARGE: 413,
  RATE_LIMITED: 429,
  INTERNAL_SERVER_ERROR: 500,
  UNAVAILABLE: 503,
  PLUGIN_FAILED: 503,
  TIMEOUT: 504,
}

/**
 * The HTTP status that goes with an error's code; codes may be more special, like `REPORT_NOT_FOUND`.
 * @param isRefusal whether it was meant for the client; what is not is the node's fault
 */
export function statusOfCode(code: string, isRefusal: boolean): number {
  for (const [known, status] of Object.entries(STATUS)) if (code === known || code.endsWith(`_${known}`)) return status
  return isRefusal ? 400 : 500
}
