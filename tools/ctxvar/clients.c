/* SPDX-License-Identifier: MIT */
#include "clients.h"

const struct client clients[CLIENTS] = {
    {'A', "Users_A", 4, {"Ada", "Alan", "Anna"}},
    {'B', "Users_B", 3, {"Bea", "Bert", "Boris"}},
    {'C', "Users_C", 2, {"Carl", "Cleo", "Cora"}},
    {'D', "Users_D", 1, {"Dan", "Dora", "Dirk"}},
};
