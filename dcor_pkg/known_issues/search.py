"""Issues of the search."""

from __future__ import annotations

from dcor_pkg.known_issues.entry import WITH_PACKAGE, WITH_UPSTREAM, Entry, Place, Sign, Text

ENTRIES = (
    Entry(
        name="lost_index_updates",
        symptom="a dataset is not found after Solr was killed, though it was indexed; java.lang.NumberFormatException in "
        "the replay of Solr's log",
        package="ckan",
        since="2.10.0",
        until="",
        cause=Text(
            "CKAN's schema makes _version_ a string, and Solr replays its log after a crash by a number.",
            "CKANs Schema macht _version_ zu einem Text, Solr braucht nach einem Absturz dort eine Zahl.",
        ),
        cost=Text(
            "Updates that Solr has acknowledged are lost in a crash.",
            "Änderungen, die Solr bestätigt hat, gehen bei einem Absturz verloren.",
        ),
        found=Text(
            "The schema of each core is compared with that of its release, that line changed.",
            "Das Schema jedes Index wird mit dem seines Release verglichen, diese Zeile geändert.",
        ),
        cure=Text(
            "Each core has CKAN's schema with a numeric _version_.",
            "Jeder Index hat CKANs Schema mit einer Zahl als _version_.",
        ),
        undone=WITH_UPSTREAM,
        place=Place.STEP,
        where="solr core",
        test="tests/engines/test_solr_service.py::test_acknowledged_updates_and_deletions_survive_a_crash",
        signs=(Sign("solr core", "schema.xml"),),
    ),
    Entry(
        name="lost_documents",
        symptom="package_search does not find a dataset that /dataset/NAME shows, or finds one whose page is 404",
        package="ckan",
        since="2.9.0",
        until="",
        cause=Text(
            "CKAN writes into the database first and tells Solr afterwards, in a second request that may be lost or fail.",
            "CKAN schreibt zuerst in die Datenbank und danach an Solr; diese zweite Anfrage kann verloren gehen oder "
            "scheitern.",
        ),
        cost=Text(
            "Datasets are not found, or shown that are gone, until somebody rebuilds the whole index.",
            "Datensätze werden nicht gefunden oder noch gezeigt, bis jemand den ganzen Index neu aufbaut.",
        ),
        found=Text(
            "The ids in the index and in the database are compared, by check and each day.",
            "Die IDs in Index und Datenbank werden verglichen, von check und jeden Tag.",
        ),
        cure=Text(
            "What is missing or left over is repaired one by one; the index is not emptied.",
            "Was fehlt oder übrig ist, wird einzeln berichtigt; der Index wird nicht geleert.",
        ),
        undone=WITH_PACKAGE,
        place=Place.STEP,
        where="documents of the search index",
        test="tests/system/test_found_issues.py::test_documents_that_differ_are_repaired_one_by_one",
        signs=(Sign("documents of the search index"),),
    ),
    Entry(
        name="status_without_search",
        symptom="200 for /api/3/action/status_show, and 500 for /dataset/",
        package="ckan",
        since="2.9.0",
        until="",
        cause=Text(
            "CKAN's status_show asks neither Solr nor the store, and monitoring relies on it.",
            "CKANs status_show fragt weder Solr noch den Speicher, und Überwachungen verlassen sich darauf.",
        ),
        cost=Text("A server without a search looks healthy.", "Ein Server ohne Suche sieht gesund aus."),
        found=Text("A search is made through the API.", "Über die API wird eine Suche gemacht."),
        cure=Text(
            "status, check and the proof of a release search for real, read from the store, and sign in.",
            "status, check und die Prüfung eines Release suchen wirklich, lesen aus dem Speicher und melden sich an.",
        ),
        undone=WITH_PACKAGE,
        place=Place.VERB,
        where="dcor-server status",
        test="tests/system/test_damage.py::test_damage_is_seen_and_brought_back",
    ),
    Entry(
        name="search_through_a_proxy",
        symptom="requests.exceptions.ProxyError: HTTPConnectionPool(host='127.0.0.1', port=8983), and 500 for every page",
        package="requests",
        since="2.25.0",
        until="",
        cause=Text(
            "Python takes a proxy from the environment for this machine's own addresses as well, and hospitals set one for "
            "all services (DefaultEnvironment=).",
            "Python benutzt einen Proxy aus der Umgebung auch für Adressen dieser Maschine, und Kliniken setzen einen für "
            "alle Dienste (DefaultEnvironment=).",
        ),
        cost=Text(
            "Nothing is found, and Solr's password goes to the proxy in clear.",
            "Nichts wird gefunden, und Solrs Passwort geht unverschlüsselt an den Proxy.",
        ),
        found=Text("http_proxy in the environment of a service", "http_proxy in der Umgebung eines Dienstes"),
        cure=Text(
            "The units unset it, and the commands exempt this machine (no_proxy).",
            "Die Units löschen ihn, und die Befehle nehmen diese Maschine aus (no_proxy).",
        ),
        undone=WITH_PACKAGE,
        place=Place.UNIT,
        where="dcor-ckan.service",
        test="tests/system/test_odd_machines.py::test_what_others_have_set_up_does_not_disturb",
    ),
)
