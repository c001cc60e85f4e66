// One way to run the work of a button.

import { explain } from '../format.js';
import { notify } from '../notice.js';
import { busy } from '../states.js';

/** Runs `work` while the control is busy, and explains an error. Returns the result, or null after an error. */
export async function attempt(control, work) {
  try {
    return await busy(control, work);
  } catch (error) {
    notify(explain(error), { tone: 'error' });
    return null;
  }
}
