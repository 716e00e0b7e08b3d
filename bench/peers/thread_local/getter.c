/* SPDX-License-Identifier: MIT */
/*
 * A thread-local variable behind calls into a shared library, in the cheapest
 * way that there is: what a call alone costs.
 */
long shared_get(void);
void shared_set(long value);

static _Thread_local long variable __attribute__((tls_model("initial-exec"))) =
    1;

long shared_get(void)
{
    return variable;
}

void shared_set(long value)
{
    variable = value;
}
