export type TestKitErrorCode =
  | 'CONTRACT_BROKEN'
  | 'FAKE_INCOMPLETE'
  | 'JOB_UNKNOWN'
  | 'NOT_A_SUBSCRIPTION'
  | 'NO_TEST_CLOCK'
  | 'PLUGIN_UNKNOWN'
  | 'SUBSCRIPTION_ENDED'
  | 'TOO_LATE'

/** A test asks its host for what it cannot do; the message says how to mend the test. */
export class TestKitError extends Error {
  override readonly name = 'TestKitError'
  readonly code: TestKitErrorCode

  constructor(code: TestKitErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
