/** A function that runs by the clock. */
export type ScheduleHandler = () => Promise<void>;

/** The handler of a function that runs by the clock; what it throws makes Lambda try again. */
export function scheduleHandler(open: () => Promise<{ run(): Promise<void> }>): ScheduleHandler {
  return async () => {
    const { run } = await open();
    await run();
  };
}
