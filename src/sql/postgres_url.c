/* SPDX-License-Identifier: MIT */
/*
 * URLs of databases in PostgreSQL: libpq takes them apart, but would block to
 * look a host up. So each address of each host is found here, and libpq, which
 * tries one after the other, is given hosts, addresses and ports in step:
 *
 *     host=db,db,spare  hostaddr=10.0.0.1,10.0.0.2,10.0.1.1 port=5432,5432,5433
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ctxvar/resolve.h>

#include "postgres.h"
#include "problem.h"

static const char *value_of(const PQconninfoOption *options, const char *name)
{
    for (; options->keyword != NULL; options++) {
        if (strcmp(options->keyword, name) == 0)
            return options->val;
    }
    return NULL;
}

const char *cx__pg_url_value(const struct cx__pg_db *own, const char *name)
{
    return value_of(own->url, name);
}

/* libpq's words may end with what is wrong, which may be a password. */
static int refuse(char *words)
{
    int error = words != NULL
                    ? cx__problem(-EINVAL, "not a database's URL: %.*s",
                                  (int)strcspn(words, ":\n"), words)
                    : -ENOMEM;

    PQfreemem(words);
    return error;
}

int cx__pg_parse(struct cx__pg_db *own, const char *place)
{
    const char *scheme = cx__postgres.scheme[0];
    size_t bytes = strlen(scheme) + strlen(place) + 1;
    char *url = malloc(bytes);
    char *words = NULL;

    if (url == NULL)
        return -ENOMEM;
    (void)snprintf(url, bytes, "%s%s", scheme, place);
    own->url = PQconninfoParse(url, &words);
    free(url);
    return own->url != NULL ? 0 : refuse(words);
}

/* What is known of hosts so far: a stream for each of the lists. */
enum { HOST, ADDRESS, PORT, LISTS };

struct hosts {
    FILE *list[LISTS];
    unsigned n;
};

static void hosts_add(struct hosts *hosts, const char *host,
                      const char *address, const char *port)
{
    const char *const entry[LISTS] = {host, address, port};

    for (int i = 0; i < LISTS; i++)
        (void)fprintf(hosts->list[i], "%s%s", hosts->n > 0 ? "," : "",
                      entry[i]);
    hosts->n++;
}

static bool is_socket(const char *host)
{
    return host[0] == '\0' || host[0] == '/' || host[0] == '@';
}

/* A host with each of its addresses. */
static int hosts_find(struct hosts *hosts, const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    char text[NI_MAXHOST];
    struct addrinfo *list;
    int error;

    if (is_socket(host)) {
        hosts_add(hosts, host, "", port);
        return 0;
    }
    error = cx_resolve(host, NULL, &hints, &list);
    if (error != 0)
        return cx__problem(error, "a host of the database's has no address");
    for (const struct addrinfo *each = list; each != NULL;
         each = each->ai_next) {
        if (getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof(text),
                        NULL, 0, NI_NUMERICHOST) == 0)
            hosts_add(hosts, host, text, port);
    }
    freeaddrinfo(list);
    return 0;
}

/* Take the next field of a list off it; the last one stays. */
static const char *next_field(char **list)
{
    char *field = *list;
    char *comma = strchr(field, ',');

    if (comma != NULL) {
        *comma = '\0';
        *list = comma + 1;
    }
    return field;
}

/* Of several hosts, some may have no address. A single port is for all. */
static int hosts_find_all(struct hosts *hosts, char *names, char *ports)
{
    bool is_last = false;
    int error = 0;

    while (!is_last && error != -ECANCELED && error != -ETIMEDOUT) {
        const char *host;

        is_last = strchr(names, ',') == NULL;
        host = next_field(&names);
        error = hosts_find(hosts, host, next_field(&ports));
    }
    return hosts->n > 0 ? 0 : error;
}

static int find_hosts(struct cx__pg_db *own, const char *names,
                      const char *ports)
{
    char **const texts[LISTS] = {&own->host, &own->hostaddr, &own->port};
    size_t bytes[LISTS];
    struct hosts hosts = {.n = 0};
    char *its_names = strdup(names);
    char *its_ports = strdup(ports != NULL ? ports : "");
    int error = its_names != NULL && its_ports != NULL ? 0 : -ENOMEM;

    for (int i = 0; i < LISTS; i++) {
        hosts.list[i] = open_memstream(texts[i], &bytes[i]);
        if (hosts.list[i] == NULL)
            error = -ENOMEM;
    }
    if (error == 0)
        error = hosts_find_all(&hosts, its_names, its_ports);
    for (int i = 0; i < LISTS; i++) {
        if (hosts.list[i] != NULL && fclose(hosts.list[i]) != 0)
            error = -ENOMEM;
    }
    free(its_names);
    free(its_ports);
    return error;
}

/* Where the URL says nothing, libpq takes what the environment says. */
int cx__pg_find_hosts(struct cx__pg_db *own)
{
    PQconninfoOption *defaults;
    const char *host = value_of(own->url, "host");
    const char *port = value_of(own->url, "port");
    int error = 0;

    if (value_of(own->url, "hostaddr") != NULL)
        return 0;
    defaults = PQconndefaults();
    if (defaults == NULL)
        return -ENOMEM;
    if (host == NULL && value_of(defaults, "hostaddr") == NULL)
        host = value_of(defaults, "host");
    if (host != NULL)
        error = find_hosts(own, host,
                           port != NULL ? port : value_of(defaults, "port"));
    PQconninfoFree(defaults);
    return error;
}
