// How a command is told from outside to stop, or to read its configuration again.

export interface Signals {
  /** `hurry` skips what is only polite. */
  onStop(callback: (hurry: boolean) => void): void;
  onReload(callback: () => void): void;
}

/**
 * SIGHUP from the first moment on, as one that nobody handles ends the process. What comes before anybody can reload
 * is told once somebody can.
 */
export class Hangups {
  private missed = false;
  private listener: () => void = () => this.missed = true;

  constructor(signals: Pick<Signals, "onReload">) {
    signals.onReload(() => this.listener());
  }

  tell(listener: () => void): void {
    this.listener = listener;
    if (this.missed) listener();
  }
}
