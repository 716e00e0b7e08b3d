/* SPDX-License-Identifier: MIT */
/* CPython's contextvars, the model of this library, by their C interface. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../../measure.h"

#define VARIABLES 1000

static PyObject *variables[VARIABLES];
static PyObject *with_default;
static PyObject *unset;
static PyObject *values[2];
static PyObject *var;
static PyObject *other;

static void get(uint64_t n)
{
    ROUNDS(n)
    {
        PyObject *value;

        (void)PyContextVar_Get(var, NULL, &value);
        Py_DECREF(value);
    }
}

static void set(uint64_t n)
{
    ROUNDS(n)
    Py_DECREF(PyContextVar_Set(var, values[round_ & 1]));
}

static void bind(uint64_t n)
{
    ROUNDS(n)
    {
        PyObject *token = PyContextVar_Set(var, values[round_ & 1]);

        (void)PyContextVar_Reset(var, token);
        Py_DECREF(token);
    }
}

static void copy(uint64_t n)
{
    ROUNDS(n)
    Py_DECREF(PyContext_CopyCurrent());
}

static void copy_set(uint64_t n)
{
    ROUNDS(n)
    {
        PyObject *before = PyContext_CopyCurrent();

        Py_DECREF(PyContextVar_Set(var, values[round_ & 1]));
        Py_DECREF(before);
    }
}

static void job(uint64_t n)
{
    ROUNDS(n)
    {
        PyObject *own = PyContext_CopyCurrent();

        (void)PyContext_Enter(own);
        Py_DECREF(PyContextVar_Set(var, values[round_ & 1]));
        (void)PyContext_Exit(own);
        Py_DECREF(own);
    }
}

static void enter_exit(uint64_t n)
{
    ROUNDS(n)
    {
        (void)PyContext_Enter(other);
        (void)PyContext_Exit(other);
    }
}

static void enter_get_exit(uint64_t n)
{
    ROUNDS(n)
    {
        PyObject *value;

        (void)PyContext_Enter(other);
        (void)PyContextVar_Get(var, NULL, &value);
        Py_DECREF(value);
        (void)PyContext_Exit(other);
    }
}

struct operation {
    const char *name;
    unsigned set; /* how many variables are set */
    PyObject **var;
    body_fn *body;
    body_fn *without; /* what is in the body and not in the operation */
};

static const struct operation operations[] = {
    {"get/1", 1, &variables[0], get, NULL},
    {"get/20", 20, &variables[19], get, NULL},
    {"get/1000", 1000, &variables[999], get, NULL},
    {"get/switched", 1, &variables[0], enter_get_exit, enter_exit},
    {"get/default", 1, &with_default, get, NULL},
    {"enter+exit", 1, &variables[0], enter_exit, NULL},
    {"set", 1, &variables[0], set, NULL},
    {"bind/set", 1, &variables[0], bind, NULL},
    {"bind/unset", 1, &unset, bind, NULL},
    {"copy+set/1", 1, &variables[0], copy_set, NULL},
    {"copy+set/20", 20, &variables[19], copy_set, NULL},
    {"copy+set/1000", 1000, &variables[999], copy_set, NULL},
    {"job/20", 20, &variables[19], job, NULL},
    {"copy/1", 1, &variables[0], copy, NULL},
    {"copy/20", 20, &variables[0], copy, NULL},
    {"copy/1000", 1000, &variables[0], copy, NULL},
};
#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static void make_variables(void)
{
    char name[8];

    for (int i = 0; i < VARIABLES; i++) {
        snprintf(name, sizeof(name), "v%03d", i);
        variables[i] = PyContextVar_New(name, NULL);
    }
    with_default = PyContextVar_New("with_default", Py_None);
    unset = PyContextVar_New("unset", NULL);
    /* Small integers are shared; these are not. */
    values[0] = PyLong_FromLong(100000);
    values[1] = PyLong_FromLong(100001);
}

static void measure_operation(const struct operation *operation)
{
    PyObject *context = PyContext_New();

    (void)PyContext_Enter(context);
    for (unsigned i = 0; i < operation->set; i++)
        Py_DECREF(PyContextVar_Set(variables[i], values[0]));
    other = PyContext_CopyCurrent();
    var = *operation->var;
    measure(operation->name, operation->body, operation->without);
    (void)PyContext_Exit(context);
    Py_DECREF(other);
    Py_DECREF(context);
}

int main(int argc, char **argv)
{
    measure_init(argc, argv);
    printf("version %s\n", PY_VERSION);
    Py_InitializeEx(0);
    make_variables();
    for (size_t i = 0; i < OPERATIONS; i++)
        measure_operation(&operations[i]);
    return 0;
}
