"""Issues of what users and visitors see, and of mail."""

from __future__ import annotations

from dcor_pkg.known_issues.entry import WITH_PACKAGE, WITH_UPSTREAM, Entry, Place, Text

ENTRIES = (
    Entry(
        name="error_mail_flood",
        symptom="Subject: Application Error, a mail for each request that fails; a 'CKAN Error' for each access to a file",
        package="ckan",
        since="2.9.0",
        until="",
        cause=Text(
            "CKAN mails the error of a page each time it comes, within the request, and with all headers: API tokens and "
            "sessions. Errors of the API it does not mail. The manual saw a mail for each access to a file at the levels "
            "INFO and DEBUG of the log; CKAN 2.11 mails errors alone.",
            "CKAN mailt den Fehler einer Seite jedes Mal, während der Anfrage und mit allen Kopfzeilen: API-Token und "
            "Sitzungen. Fehler der API mailt es nicht. Das Handbuch sah bei den Stufen INFO und DEBUG des Logs eine Mail "
            "je Dateizugriff; CKAN 2.11 mailt nur Fehler.",
        ),
        cost=Text(
            "An admin's mailbox fills up, and another fault is not seen in it; a relay that does not answer occupies the "
            "workers.",
            "Das Postfach des Admins läuft voll, und ein anderer Fehler geht darin unter; ein Relay, das nicht antwortet, "
            "hält die Prozesse fest.",
        ),
        found=Text("CKAN's handler for mails in its log", "Der Handler von CKAN für Mails in seinem Log"),
        cure=Text(
            "An error (exception and place), of a page or of the API, is one mail, from a thread that no request waits for. "
            "Repeats within an hour are counted for all processes; when it is over, one mail says how often it came.",
            "Ein Fehler (Ausnahme und Stelle) einer Seite oder der API ist eine Mail, aus einem Thread, auf den keine "
            "Anfrage wartet. Wiederholungen innerhalb einer Stunde werden über alle Prozesse gezählt; danach nennt eine "
            "Mail die Zahl.",
        ),
        undone=Text(
            "An empty `email_to =` in /etc/dcor-server/ckan.d: then no error is mailed.",
            "Ein leeres `email_to =` in /etc/dcor-server/ckan.d: Dann wird kein Fehler gemailt.",
        ),
        place=Place.RELEASE,
        where="dcor_runtime/error_mail.py",
        test="tests/system/test_jobs.py::test_an_error_is_one_mail_and_its_repeats_are_one_after_an_hour",
    ),
    Entry(
        name="hidden_version",
        symptom="DCOR-Aid: KeyError: 'ckan_version', when it connects",
        package="ckan",
        since="2.10.0",
        until="",
        cause=Text(
            "Since CKAN 2.10 the version can be hidden (ckan.hide_version; hide_version, as it is often written, has no "
            "effect), and DCOR-Aid stops without it.",
            "Seit CKAN 2.10 lässt sich die Version verbergen (ckan.hide_version; das oft geschriebene hide_version wirkt "
            "nicht), und DCOR-Aid bricht ohne sie ab.",
        ),
        cost=Text("Nobody can upload by DCOR-Aid.", "Niemand kann mit DCOR-Aid hochladen."),
        found=Text("`ckan.hide_version` in ckan.ini", "`ckan.hide_version` in ckan.ini"),
        cure=Text("ckan.ini sets it to false.", "ckan.ini setzt es auf false."),
        undone=Text(
            "By an option of your own in /etc/dcor-server/ckan.d.",
            "Durch eine eigene Option in /etc/dcor-server/ckan.d.",
        ),
        place=Place.STEP,
        where="file /etc/ckan/default/ckan.ini",
        test="tests/system/test_measurement.py::test_measurements_can_be_uploaded_read_and_found",
    ),
    Entry(
        name="guests_past_the_cache",
        symptom="every page is made by CKAN for each guest; no request is a HIT of nginx's cache",
        package="dcor_control",
        since="0.7.5",
        until="",
        cause=Text(
            "The manual's map takes clients without any cookie for users who are signed in, and lets them past the cache; "
            "and CKAN gives guests a cookie, too.",
            "Die Zuordnung des Handbuchs hält Besucher ohne Cookie für angemeldet und lässt sie am Zwischenspeicher vorbei; "
            "und CKAN gibt auch Gästen ein Cookie.",
        ),
        cost=Text("A robot occupies all workers.", "Ein Suchroboter hält alle Prozesse fest."),
        found=Text("`proxy_cache_bypass` by a cookie", "`proxy_cache_bypass` nach einem Cookie"),
        cure=Text(
            "Guests are those without token and session; their pages are made without a session, and shared.",
            "Gäste sind, wer weder Token noch Sitzung hat; ihre Seiten entstehen ohne Sitzung und werden geteilt.",
        ),
        undone=WITH_PACKAGE,
        place=Place.NGINX,
        where="dcor_anonymous",
        test="tests/system/test_issues_reproduced.py::test_guests_share_a_page_which_the_manual_makes_for_each",
    ),
    Entry(
        name="outdated_clients",
        symptom="an upload by DCOR-Aid before 0.16.11 ends without an error, and its file cannot be read",
        package="dcoraid",
        since="0.1.0",
        until="0.16.11",
        cause=Text(
            "Former versions upload in a way that servers with an object store do not know.",
            "Frühere Versionen laden auf eine Weise hoch, die Server mit Objektspeicher nicht kennen.",
        ),
        cost=Text("Measurements are lost without anybody's notice.", "Messungen gehen unbemerkt verloren."),
        found=Text("The User-Agent of a request", "Der User-Agent einer Anfrage"),
        cure=Text(
            "nginx answers them 400 in the words by which DCOR-Aid shows that it is outdated.",
            "nginx antwortet ihnen mit 400 in den Worten, an denen DCOR-Aid erkennt, dass es veraltet ist.",
        ),
        undone=WITH_PACKAGE,
        place=Place.NGINX,
        where="dcor_aid_outdated",
        test="tests/unit/nginx/test_nginx.py::test_an_old_dcor_aid_gets_the_message_that_it_is_outdated",
    ),
    Entry(
        name="clients_without_trust",
        symptom="requests.exceptions.SSLError: certificate verify failed, after 25 s, from dclab with REQUESTS_CA_BUNDLE",
        package="dclab",
        since="0.73.0",
        until="",
        cause=Text(
            "dclab passes certifi's bundle explicitly, so that REQUESTS_CA_BUNDLE alone has no effect.",
            "dclab gibt das Bündel von certifi ausdrücklich an, sodass REQUESTS_CA_BUNDLE allein nicht wirkt.",
        ),
        cost=Text(
            "Users of a server with a certificate of its own open no measurement.",
            "Benutzer eines Servers mit eigenem Zertifikat öffnen keine Messung.",
        ),
        found=Text("The certificate is not publicly trusted.", "Dem Zertifikat wird nicht öffentlich vertraut."),
        cure=Text(
            "https://HOST/trust offers the certificate, and a script that adds it to the user's Python.",
            "https://HOST/de/trust bietet das Zertifikat an und ein Skript, das es dem Python des Benutzers hinzufügt.",
        ),
        undone=Text("The script with --remove; see the page.", "Das Skript mit --remove; siehe die Seite."),
        place=Place.STEP,
        where="trust page",
        test="tests/system/test_trust.py::test_what_earlier_instructions_said_opens_nothing",
    ),
    Entry(
        name="empty_legal_pages",
        symptom="No contact information has been provided. Please create a contact.html CKAN template",
        package="ckanext-dcor_theme",
        since="1.1.4",
        until="",
        cause=Text(
            "The theme expects templates for /contact, /imprint and /privacy that nobody writes.",
            "Das Thema erwartet Vorlagen für /contact, /imprint und /privacy, die niemand schreibt.",
        ),
        cost=Text("What the law may require is missing.", "Was das Gesetz verlangen kann, fehlt."),
        found=Text("A setting of a page is empty.", "Die Einstellung einer Seite ist leer."),
        cure=Text(
            "A setting for each page names a Markdown file; until then the page shows the admin's address.",
            "Für jede Seite nennt eine Einstellung eine Markdown-Datei; bis dahin zeigt sie die Adresse des Admins.",
        ),
        undone=Text("dcor-server set contact= imprint= privacy=", "dcor-server set contact= imprint= privacy="),
        place=Place.SETTING,
        where="imprint",
        test="tests/system/test_pages.py::test_a_page_without_a_text_says_whom_to_ask_in_the_language_of_the_page",
    ),
    Entry(
        name="former_words_in_german",
        symptom="'Organisationen' and 'Gruppen' on pages in German",
        package="ckanext-dcor_theme",
        since="0.6.1",
        until="",
        cause=Text("The theme renames in English only.", "Das Thema benennt nur im Englischen um."),
        cost=Text(
            "Users do not recognise circles and collections.", "Benutzer erkennen Kreise und Sammlungen nicht wieder."
        ),
        found=Text("ckan/i18n/de without the theme's words", "ckan/i18n/de ohne die Wörter des Themas"),
        cure=Text("Each release has German words of its own.", "Jedes Release hat eigene deutsche Wörter."),
        undone=WITH_UPSTREAM,
        place=Place.RELEASE,
        where="ckan/i18n/de",
        test="tests/system/test_issues_reproduced.py::test_a_fault_of_the_release_is_seen_without_its_cure_alone",
    ),
    Entry(
        name="passwords_without_a_limit",
        symptom="40 times 200 within 4 s for POST /user/login from one address",
        package="ckan",
        since="2.9.0",
        until="",
        cause=Text("CKAN has no limit of attempts to sign in.", "CKAN begrenzt Anmeldeversuche nicht."),
        cost=Text(
            "Passwords can be guessed, and those who guess occupy all workers.",
            "Passwörter lassen sich erraten, und wer rät, hält alle Prozesse fest.",
        ),
        found=Text("nginx's limit_req is missing", "limit_req von nginx fehlt"),
        cure=Text(
            "nginx limits attempts and connections of an address, with figures that a class does not meet.",
            "nginx begrenzt Versuche und Verbindungen einer Adresse, mit Zahlen, die eine Schulklasse nicht erreicht.",
        ),
        undone=WITH_PACKAGE,
        place=Place.NGINX,
        where="limit_req",
        test="tests/system/test_strangers.py::test_many_passwords_from_one_address_are_slowed",
    ),
)
